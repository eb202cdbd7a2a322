"""The arithmetic of boxes: anchors, overlaps, NMS, sampling, RoI bins."""

from .anchors import RATIOS, SCALES, AnchorGrid, all_anchors, caffe_anchors, inside
from .arithmetic import clip, iou, large_enough, pairwise, transform_inv
from .image_info import ground_truth, image_info, single_item
from .nms import by_score, least_overlap, nms, nms_torch
from .roi_bins import FARTHEST, RoiAxis, check_shapes, image_of, round_away, takes
from .sampling import DEFAULT_SEED, AnchorRule, RoIRule, overlap, usable
from .window_max import LOWEST, window_max

__all__ = [
    "DEFAULT_SEED",
    "FARTHEST",
    "LOWEST",
    "RATIOS",
    "SCALES",
    "AnchorGrid",
    "AnchorRule",
    "RoIRule",
    "RoiAxis",
    "all_anchors",
    "by_score",
    "caffe_anchors",
    "check_shapes",
    "clip",
    "ground_truth",
    "image_info",
    "image_of",
    "inside",
    "iou",
    "large_enough",
    "least_overlap",
    "nms",
    "nms_torch",
    "overlap",
    "pairwise",
    "round_away",
    "single_item",
    "takes",
    "transform_inv",
    "usable",
    "window_max",
]
