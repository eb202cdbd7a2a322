"""Picture files, and their pixels as a net takes them."""

from .image_file import Pixels, is_cut_off, picture_size, read_pixels
from .pixels import Floats, centred, resized, scale_to, to_blob

__all__ = ["Floats", "Pixels", "centred", "is_cut_off", "picture_size", "read_pixels", "resized", "scale_to", "to_blob"]
