"""Operations on faces and people."""
