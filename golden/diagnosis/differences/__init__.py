"""Two of a kind side by side: blobs, params, prototxts, RoIs, detections."""

from .detection_matching import NEAR, ClassMatch, DetectionMatch, Single, match_detections
from .measures import Measures, measure
from .param_diff import ParamDifference, compare_params
from .roi_matching import RoiMatch, match_rois
from .text_diff import FieldDifference, compare_nets

__all__ = [
    "NEAR",
    "ClassMatch",
    "DetectionMatch",
    "FieldDifference",
    "Measures",
    "ParamDifference",
    "RoiMatch",
    "Single",
    "compare_nets",
    "compare_params",
    "match_detections",
    "match_rois",
    "measure",
]
