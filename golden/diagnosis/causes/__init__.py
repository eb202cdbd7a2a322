"""The usual suspects: one small rule for each mistake that is made again and again, tried by computing it."""
