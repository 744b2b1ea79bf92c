"""Operations on single photos: show, facts, why, events, pairs, time."""
