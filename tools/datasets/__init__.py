"""Detection data: annotations in PASCAL VOC's and COCO's formats, the roidb made of them, and minibatches.

Nothing is cached on disk: annotations are read anew each time, so that no stale copy can be believed.
"""

from .annotations import BACKGROUND, VOC_CLASSES, CocoSet, Picture, PictureSet, Thing, VocSet
from .checkup import KINDS, Finding, SetReport, check_coco, check_voc, write_coco_copy, write_voc_copy
from .drawn import SHAPES, draw_scene, write_shapes
from .errors import DataError, DataFileError
from .feeding import Minibatches, feed_solver
from .images import Floats, Pixels, centred, picture_size, read_pixels, resized, scale_to, to_blob
from .minibatch import Blobs
from .proposals import read_proposals, write_proposals
from .roidb import Entry, Roidb, digest_of, truth_roidb
from .training import training_roidb

__all__ = [
    "BACKGROUND",
    "KINDS",
    "SHAPES",
    "VOC_CLASSES",
    "Blobs",
    "CocoSet",
    "DataError",
    "DataFileError",
    "Entry",
    "Finding",
    "Floats",
    "Minibatches",
    "Picture",
    "PictureSet",
    "Pixels",
    "Roidb",
    "SetReport",
    "Thing",
    "VocSet",
    "centred",
    "check_coco",
    "check_voc",
    "digest_of",
    "draw_scene",
    "feed_solver",
    "picture_size",
    "read_pixels",
    "read_proposals",
    "resized",
    "scale_to",
    "to_blob",
    "training_roidb",
    "truth_roidb",
    "write_coco_copy",
    "write_proposals",
    "write_shapes",
    "write_voc_copy",
]
