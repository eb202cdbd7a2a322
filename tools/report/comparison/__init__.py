"""A comparison as one HTML page."""

from .document import Document, page

__all__ = ["Document", "page"]
