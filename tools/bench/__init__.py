"""What `recaffe bench` measures."""

from .nets import forward, rfcn
from .rpn_layers import anchor_targets, proposals
from .training import training
from .weights import porting, reading

__all__ = ["anchor_targets", "forward", "porting", "proposals", "reading", "rfcn", "training"]
