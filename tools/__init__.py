"""The commands of `recaffe`: thin, one module each."""
