"""A net over a whole set of pictures: which set, what was found so far, and what is measured."""

from .named_set import NamedSet, named_set
from .store import Store, key_of
from .sweep import Share, Sweep
from .tasks import Detecting, Proposing, Task

__all__ = ["Detecting", "NamedSet", "Proposing", "Share", "Store", "Sweep", "Task", "key_of", "named_set"]
