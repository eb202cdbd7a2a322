"""The C++ kernels, and operators of our own for torch."""

from .kernels import available, call, channels_last, dense, library, serves
from .operators import operator

__all__ = ["available", "call", "channels_last", "dense", "library", "operator", "serves"]
