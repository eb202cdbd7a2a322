"""What all detectors here share: the region proposal network, and where images, boxes and RoIs come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ..caffe_pb2 import LayerParameter
from .blocks import STRIDE, Fields, Layers, Style, conv, gaussian, loss, python, relu, reshape, softmax

RPN_TARGETS = ["rpn_labels", "rpn_bbox_targets", "rpn_bbox_inside_weights", "rpn_bbox_outside_weights"]
ROI_TARGETS = ["rois", "labels", "bbox_targets", "bbox_inside_weights", "bbox_outside_weights"]
LABELLED: Fields = {"ignore_label": -1, "normalize": True}
"""The loss of those that have a label, divided by their number."""
IMAGE = (1, 3, 224, 224)
IM_INFO, ROIS = (1, 3), (1, 5)


@dataclass(frozen=True)
class DetectionTask:
    """What is to be found: classes with the background, anchors, and two settings in which the COCO nets differ."""

    classes: int = 21
    scales: tuple[float, ...] = (8, 16, 32)
    ratios: tuple[float, ...] = (0.5, 1, 2)
    dropout: bool = True
    """Whether Fast and Faster R-CNN's heads drop numbers."""
    rfcn_sigma: float = 3
    """Where the box loss of the RPN turns linear (at 1 / sigma²) in R-FCN's end-to-end nets."""

    @property
    def anchors(self) -> int:
        """Anchors per cell."""
        return len(self.scales) * len(self.ratios)

    @property
    def anchor_str(self) -> str:
        """The param_str of the layers that make anchors; what is usual is not said."""
        text = f"'feat_stride': {STRIDE}"
        for name, values in (("scales", self.scales), ("ratios", self.ratios)):
            if values != getattr(DetectionTask, name):
                text += f" \n'{name}': !!python/tuple [{', '.join(f'{value:g}' for value in values)}]"
        return text


DATASETS = {"voc": DetectionTask(), "coco": DetectionTask(81, scales=(4, 8, 16, 32), dropout=False, rfcn_sigma=1)}


class Names(NamedTuple):
    """How the RPN's first layers and their blob are called."""

    conv: str = "rpn_conv/3x3"
    relu: str = "rpn_relu/3x3"
    blob: str = "rpn/output"


SLASHED = Names()


def rpn(feature: str, width: int, task: DetectionTask, style: Style, names: Names = SLASHED) -> Layers:
    """Scores and boxes of every anchor, from a convolution of `width` channels."""
    specs, fillers = style.learned, gaussian(0.01, style)
    return [
        conv(names.conv, feature, width, 3, specs, top=names.blob, pad=1, stride=1, fillers=fillers),
        relu(names.relu, names.blob),
        conv("rpn_cls_score", names.blob, 2 * task.anchors, 1, specs, pad=0, stride=1, fillers=fillers),
        conv("rpn_bbox_pred", names.blob, 4 * task.anchors, 1, specs, pad=0, stride=1, fillers=fillers),
    ]


def two_way() -> LayerParameter:
    """Scores as background against object: 2 channels, the anchors beside one another in the height."""
    return reshape("rpn_cls_score_reshape", "rpn_cls_score", "rpn_cls_score_reshape", 0, 2, -1, 0)


def rpn_losses(task: DetectionTask, sigma: float = 3) -> Layers:
    """Targets of the anchors and the RPN's two losses."""
    bottoms = ["rpn_cls_score", "gt_boxes", "im_info", "data"]
    smooth: Fields = {"smooth_l1_loss_param": {"sigma": sigma}} if sigma != 1 else {}
    scores = ["rpn_cls_score_reshape", "rpn_labels"]
    return [
        python("rpn-data", "rpn.anchor_target_layer.AnchorTargetLayer", bottoms, RPN_TARGETS, task.anchor_str),
        loss("SoftmaxWithLoss", "rpn_loss_cls", scores, "rpn_cls_loss", flow=True, loss_param=LABELLED),
        loss("SmoothL1Loss", "rpn_loss_bbox", ["rpn_bbox_pred", *RPN_TARGETS[1:]], "rpn_loss_bbox", **smooth),
    ]


def proposals(task: DetectionTask, *tops: str) -> Layers:
    """RoIs from the anchors; a second top has their scores."""
    bottoms = ["rpn_cls_prob_reshape", "rpn_bbox_pred", "im_info"]
    return [
        softmax("rpn_cls_prob", "rpn_cls_score_reshape"),
        reshape("rpn_cls_prob_reshape", "rpn_cls_prob", "rpn_cls_prob_reshape", 0, 2 * task.anchors, -1, 0),
        python("proposal", "rpn.proposal_layer.ProposalLayer", bottoms, tops, task.anchor_str),
    ]


def image_data(task: DetectionTask) -> LayerParameter:
    """Training images with their boxes, for a net that makes its own RoIs."""
    return _data("input-data", ["data", "im_info", "gt_boxes"], task)


def roi_data(task: DetectionTask) -> LayerParameter:
    """Training images with RoIs that another net has made."""
    return _data("data", ["data", *ROI_TARGETS], task)


def _data(name: str, tops: list[str], task: DetectionTask) -> LayerParameter:
    return python(name, "roi_data_layer.layer.RoIDataLayer", [], tops, f"'num_classes': {task.classes}")


def roi_targets(classes: int) -> LayerParameter:
    """RoIs drawn from the proposals, with the classes and boxes that they should have."""
    path = "rpn.proposal_target_layer.ProposalTargetLayer"
    return python("roi-data", path, ["rpn_rois", "gt_boxes"], ROI_TARGETS, f"'num_classes': {classes}")
