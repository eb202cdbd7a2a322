"""Fixtures that Caffe wrote, and the comparison of our blobs with theirs."""

from .compare import BlobResult, largest_magnitude
from .errors import GoldenError
from .fixture import Fixture, find
from .run import Report, verify

__all__ = ["BlobResult", "Fixture", "GoldenError", "Report", "find", "largest_magnitude", "verify"]
