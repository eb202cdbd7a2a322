"""R-FCN: end to end with or without hard examples, for boxes of any class or of each, and in five steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..caffe_pb2 import LayerParameter, NetParameter
from .blocks import (
    STRIDE,
    TESTED,
    TRAINED,
    Fields,
    Layers,
    conv,
    gaussian,
    layer,
    loss,
    net,
    relu,
    reshape,
    silence,
    softmax,
)
from .rpn import (
    IM_INFO,
    IMAGE,
    ROIS,
    DetectionTask,
    image_data,
    proposals,
    roi_data,
    roi_targets,
    rpn,
    rpn_losses,
    two_way,
)

_GROUP = 7
"""Bins of a RoI in each direction, each with score maps of its own."""
_DRAWN = 128
"""RoIs of an image that count into the losses."""


@dataclass(frozen=True)
class Stages:
    """A classifier's trunk, and in what its nets differ from the others'."""

    name: str
    trunk: Callable[[int, int], Layers]
    """From data (N, 3, H, W) to the top of a last stage, 4 or 5; the stages before a second number stay as they are."""
    tops: tuple[str, str]
    """The blobs of stages 4 and 5, both on cells of 16 pixels."""
    width: int = 1024
    """Channels before the score maps."""
    fillers: Fields = field(default_factory=partial(gaussian, 0.01, TRAINED))
    """How the layer with these channels starts."""
    rpn_widths: tuple[int, int] = (512, 256)
    """The RPN's channels end to end, and in the steps."""


@dataclass(frozen=True)
class Kind:
    """A trunk, and the kind of R-FCN on it."""

    stages: Stages
    ohem: bool = False
    """Whether the losses count for the RoIs with the largest losses alone."""
    class_aware: bool = False
    """Whether each class has a box of its own; otherwise there are one for the background and one for all else."""

    def trunk(self, last: int = 5, learned_from: int = 3) -> Layers:
        """The trunk's layers."""
        return self.stages.trunk(last, learned_from)

    def boxes(self, task: DetectionTask) -> int:
        """Boxes for each RoI."""
        return task.classes if self.class_aware else 2

    @property
    def rpn_feature(self) -> str:
        """The class-aware nets have their RPN on the last stage, the others on the one before."""
        return self.stages.tops[self.class_aware]


def head(kind: Kind, task: DetectionTask, box_top: str = "bbox_pred") -> Layers:
    """Score maps for every class, box and bin, and for each RoI the mean of its bins."""
    stages, specs, fillers = kind.stages, TRAINED.learned, gaussian(0.01, TRAINED)
    scores, numbers, cells = task.classes, 4 * kind.boxes(task), _GROUP**2
    return [
        conv("conv_new_1", stages.tops[1], stages.width, 1, specs, pad=0, fillers=stages.fillers),
        relu("conv_new_1_relu", "conv_new_1"),
        conv("rfcn_cls", "conv_new_1", scores * cells, 1, specs, pad=0, fillers=fillers),
        conv("rfcn_bbox", "conv_new_1", numbers * cells, 1, specs, pad=0, fillers=fillers),
        *_pooled("psroipooled_cls_rois", "rfcn_cls", scores, "ave_cls_score_rois", "cls_score"),
        *_pooled("psroipooled_loc_rois", "rfcn_bbox", numbers, "ave_bbox_pred_rois", box_top),
    ]


def _pooled(pool: str, maps: str, width: int, mean: str, top: str) -> Layers:
    fields = {"spatial_scale": 1 / STRIDE, "output_dim": width, "group_size": _GROUP}
    whole = {"pool": "AVE", "kernel_size": _GROUP, "stride": _GROUP}
    return [
        layer("PSROIPooling", pool, [maps, "rois"], [pool], psroi_pooling_param=fields),
        layer("Pooling", mean, [pool], [top], pooling_param=whole),
    ]


def losses(ohem: bool) -> Layers:
    """The head's two losses and its accuracy, for every RoI or for the hard ones."""
    if ohem:
        return [*hard_examples(), *_losses("labels_ohem", "bbox_loss_weights_ohem", {"ignore_label": -1})]
    return [*_losses("labels", "bbox_inside_weights", {}), silence("silence", "bbox_outside_weights")]


def _losses(labels: str, weights: str, ignore: Fields) -> Layers:
    scores = ["cls_score", labels]
    classified, counted = ({name: ignore} if ignore else {} for name in ("loss_param", "accuracy_param"))
    fixed = {"normalization": "PRE_FIXED", "pre_fixed_normalizer": _DRAWN}
    boxes = ["bbox_pred", "bbox_targets", weights]
    return [
        loss("SoftmaxWithLoss", "loss", scores, "loss_cls", flow=True, **classified),
        # Spelt as in the originals, whose blobs are looked up by this name.
        _without_diff("Accuracy", "accuarcy", scores, ["accuarcy"], **counted),
        loss("SmoothL1LossOHEM", "loss_bbox", boxes, "loss_bbox", flow=True, loss_param=fixed),
    ]


def hard_examples() -> Layers:
    """The RoIs with the largest losses keep their label and weights."""
    boxes = ["bbox_pred", "bbox_targets", "bbox_inside_weights"]
    both = ["per_roi_loss_cls", "per_roi_loss_bbox"]
    choice = ["rois", "per_roi_loss", "labels", "bbox_inside_weights"], ["labels_ohem", "bbox_loss_weights_ohem"]
    cls_tops, box_tops = ["temp_loss_cls", "temp_prob_cls", both[0]], ["temp_loss_bbox", both[1]]
    fields = {"roi_per_img": _DRAWN, "ignore_label": -1}
    return [
        _without_diff("SoftmaxWithLossOHEM", both[0], ["cls_score", "labels"], cls_tops, loss_weight=[0] * 3),
        _without_diff("SmoothL1LossOHEM", both[1], boxes, box_tops, loss_weight=[0] * 2),
        _without_diff("Eltwise", "per_roi_loss", both, ["per_roi_loss"]),
        _without_diff("BoxAnnotatorOHEM", "annotator_detector", *choice, box_annotator_ohem_param=fields),
        silence("silence", "bbox_outside_weights", "temp_loss_cls", "temp_prob_cls", "temp_loss_bbox"),
    ]


def _without_diff(kind: str, name: str, bottoms: list[str], tops: list[str], **fields: Any) -> LayerParameter:
    return layer(kind, name, bottoms, tops, propagate_down=[False] * len(bottoms), **fields)


def answers(kind: Kind, task: DetectionTask) -> Layers:
    """Probabilities and boxes, one RoI in a row."""
    return [
        softmax("cls_prob", "cls_score", "cls_prob_pre"),
        reshape("cls_prob_reshape", "cls_prob_pre", "cls_prob", -1, task.classes),
        reshape("bbox_pred_reshape", "bbox_pred_pre", "bbox_pred", -1, 4 * kind.boxes(task)),
    ]


def end2end_train(kind: Kind, task: DetectionTask) -> NetParameter:
    """RPN and head trained together."""
    layers = [
        image_data(task),
        *kind.trunk(),
        *rpn(kind.rpn_feature, kind.stages.rpn_widths[0], task, TRAINED),
        two_way(),
        *rpn_losses(task, task.rfcn_sigma),
        *proposals(task, "rpn_rois"),
        roi_targets(kind.boxes(task)),
        *head(kind, task),
        *losses(kind.ohem),
    ]
    return net(kind.stages.name, layers)


def end2end_test(kind: Kind, task: DetectionTask) -> NetParameter:
    """From an image to the classes and boxes of its RoIs."""
    layers = [
        *kind.trunk(),
        *rpn(kind.rpn_feature, kind.stages.rpn_widths[0], task, TESTED),
        two_way(),
        *proposals(task, "rois"),
        *head(kind, task, "bbox_pred_pre"),
        *answers(kind, task),
    ]
    return net(kind.stages.name, layers, data=IMAGE, im_info=IM_INFO)


def rpn_step(kind: Kind, task: DetectionTask, learned_from: int) -> NetParameter:
    """One of the five steps: an RPN on four stages."""
    layers = [
        image_data(task),
        *kind.trunk(last=4, learned_from=learned_from),
        *rpn(kind.stages.tops[0], kind.stages.rpn_widths[1], task, TRAINED),
        two_way(),
        *rpn_losses(task),
    ]
    return net(kind.stages.name, layers)


def rpn_test(kind: Kind, task: DetectionTask) -> NetParameter:
    """From an image to RoIs and their scores."""
    layers = [
        *kind.trunk(last=4),
        *rpn(kind.stages.tops[0], kind.stages.rpn_widths[1], task, TRAINED),
        two_way(),
        *proposals(task, "rois", "scores"),
    ]
    return net(kind.stages.name, layers, data=IMAGE, im_info=IM_INFO)


def rfcn_step(kind: Kind, task: DetectionTask) -> NetParameter:
    """One of the five steps: the head on an RPN's proposals."""
    return net(kind.stages.name, [roi_data(task), *kind.trunk(), *head(kind, task), *losses(kind.ohem)])


def rfcn_test(kind: Kind, task: DetectionTask) -> NetParameter:
    """From an image and RoIs to their classes and boxes."""
    layers = [*kind.trunk(), *head(kind, task, "bbox_pred_pre"), *answers(kind, task)]
    return net(kind.stages.name, layers, data=IMAGE, rois=ROIS)
