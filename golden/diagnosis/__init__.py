"""Where a net first differs from golden blobs, whose doing it is, and why."""

from .differences import (
    NEAR,
    ClassMatch,
    DetectionMatch,
    FieldDifference,
    ParamDifference,
    RoiMatch,
    Single,
    match_detections,
)
from .divergence import Options, compare_fixture
from .findings import Blame, BlobFinding, Comparison, as_json
from .language import Vocabulary

__all__ = [
    "NEAR",
    "Blame",
    "BlobFinding",
    "ClassMatch",
    "Comparison",
    "DetectionMatch",
    "FieldDifference",
    "Options",
    "ParamDifference",
    "RoiMatch",
    "Single",
    "Vocabulary",
    "as_json",
    "compare_fixture",
    "match_detections",
]
