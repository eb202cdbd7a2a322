"""What other programs have no form for: why, and the way out. The same words for every form."""

from __future__ import annotations

from ..errors import PrototxtError


class ExportError(PrototxtError):
    """A net, or a layer of it, has no form in another program."""


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
"""Registered types that no other program has."""
NOT_IN_ONNX = {"Filter": "it picks items: take its bottoms as outputs, and pick from them"}
UNKNOWN = "recaffe does not know what it computes: cut the net before it"
NO_DILATION = "dilation 0 reads one cell with every tap, which no other program does: port it to .pt2"
OVERHANG = "its kernel is larger than the padded bottom, which no other program has: raise pad, or port it to .pt2"
MANY_AXES = "torch has no module for more than three spatial axes: port it to .onnx or .pt2"
DRAWS = "it draws at random in TRAIN: port the TEST net"
DRAWS_ALWAYS = "it draws at random with STOCHASTIC, in TEST, too: choose MAX or AVE"
TURNS_BACK = "it turns back normalised deltas in TRAIN: port the TEST net"
