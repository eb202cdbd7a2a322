"""What data layers read: databases, images, windows, and how images are transformed."""

from .databases import cycle_database
from .datum import Datum
from .images import Image, decode, read_bytes, resize
from .source_layer import Item, SourceLayer, StreamLayer
from .transformation import Floats, Transformation, Transformer
from .windows import Cut, Window, parse_windows

__all__ = [
    "Cut",
    "Datum",
    "Floats",
    "Image",
    "Item",
    "SourceLayer",
    "StreamLayer",
    "Transformation",
    "Transformer",
    "Window",
    "cycle_database",
    "decode",
    "parse_windows",
    "read_bytes",
    "resize",
]
