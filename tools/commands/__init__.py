"""The commands of `recaffe`: a thin module each, named as the command."""

from .doctor import examine

__all__ = ["examine"]
