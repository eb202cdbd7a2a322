"""Alternating training: its plans, the files that they go by, and their course."""

from .course import Course
from .plan import RFCN
from .stage_files import StageFiles, read_stages, write_stages

__all__ = ["RFCN", "Course", "StageFiles", "read_stages", "write_stages"]
