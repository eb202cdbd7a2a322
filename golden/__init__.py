"""Fixtures that Caffe wrote, and the comparison of our blobs with theirs."""

from .compare import BlobResult, largest_magnitude
from .errors import GoldenError
from .fixture import Fixture, find
from .run import Report, verify
from .subject import Subject

__all__ = ["BlobResult", "Fixture", "GoldenError", "Report", "Subject", "find", "largest_magnitude", "verify"]
