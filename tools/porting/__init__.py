"""A net's weights, or the net itself, written anew and checked before they are kept: in another form, or changed."""

from .boxes import BoxChange
from .errors import PortingError
from .model import port_model
from .operations import operate, write_operated
from .porting import Porting
from .weights import port_weights

__all__ = ["BoxChange", "Porting", "PortingError", "operate", "port_model", "port_weights", "write_operated"]
