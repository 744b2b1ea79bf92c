"""Operations on words: tags, ratings, albums, captions, text in pictures."""
