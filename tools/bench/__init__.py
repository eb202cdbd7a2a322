"""What `recaffe bench` measures."""

from .training import training
from .weights import porting, reading

__all__ = ["porting", "reading", "training"]
