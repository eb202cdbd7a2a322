"""What annotations say of pictures, in PASCAL VOC's and COCO's formats."""

from .coco import CocoSet
from .pictures import BACKGROUND, Box, Picture, PictureSet, Size, Thing, numbers
from .voc import VOC_CLASSES, VocSet, known_classes, read_list, read_picture_of, voc_folder

__all__ = [
    "BACKGROUND",
    "VOC_CLASSES",
    "Box",
    "CocoSet",
    "Picture",
    "PictureSet",
    "Size",
    "Thing",
    "VocSet",
    "known_classes",
    "numbers",
    "read_list",
    "read_picture_of",
    "voc_folder",
]
