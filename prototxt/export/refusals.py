"""Layer types that other programs have no form for: why, and the way out."""

from __future__ import annotations

_LABELS = "it needs labels: port the TEST net"
_DATA = "it makes data: put an Input layer in its place"
_TARGETS = "it draws samples for training: port the TEST net"
UNEXPORTED = {
    **dict.fromkeys(
        (
            "Accuracy",
            "ContrastiveLoss",
            "EuclideanLoss",
            "HingeLoss",
            "InfogainLoss",
            "MultinomialLogisticLoss",
            "SigmoidCrossEntropyLoss",
            "SmoothL1Loss",
            "SmoothL1LossOHEM",
            "SoftmaxWithLoss",
            "SoftmaxWithLossOHEM",
        ),
        _LABELS,
    ),
    **dict.fromkeys(
        (
            "Data",
            "DummyData",
            "HDF5Data",
            "ImageData",
            "MemoryData",
            "WindowData",
            "roi_data_layer.layer.RoIDataLayer",
        ),
        _DATA,
    ),
    **dict.fromkeys(
        (
            "BoxAnnotatorOHEM",
            "rpn.anchor_target_layer.AnchorTargetLayer",
            "rpn.proposal_target_layer.ProposalTargetLayer",
        ),
        _TARGETS,
    ),
    "HDF5Output": "it writes a file: take its bottoms as outputs",
    "Im2col": "Convolution does without it: leave it out",
}
UNKNOWN = "recaffe does not know what it computes: cut the net before it"
