"""Operations that change a net's prototxt and its params together."""
