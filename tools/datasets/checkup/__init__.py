"""What is wrong with a data set, and a corrected copy of it."""

from .mend import write_coco_copy, write_voc_copy
from .picture_checkup import KINDS, Finding
from .set_checkup import SetReport, check_coco, check_voc

__all__ = ["KINDS", "Finding", "SetReport", "check_coco", "check_voc", "write_coco_copy", "write_voc_copy"]
