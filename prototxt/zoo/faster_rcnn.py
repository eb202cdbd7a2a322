"""Fast and Faster R-CNN on a classifier with two fully connected layers: end to end, and in four steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ..caffe_pb2 import NetParameter
from .blocks import (
    BARE,
    FROZEN,
    STRIDE,
    TRAINED,
    Fields,
    Layers,
    Style,
    fully,
    gaussian,
    layer,
    loss,
    net,
    relu,
    silence,
    softmax,
)
from .rpn import (
    IM_INFO,
    IMAGE,
    ROI_TARGETS,
    ROIS,
    SLASHED,
    DetectionTask,
    Names,
    image_data,
    proposals,
    roi_data,
    roi_targets,
    rpn,
    rpn_losses,
    two_way,
)


@dataclass(frozen=True)
class Backbone:
    """A classifier's trunk, and in what its nets differ from the other classifiers'."""

    name: str
    trunk: Callable[[Style], Layers]
    feature: str
    channels: int
    rpn_width: int
    bins: int
    widths: tuple[int, int]
    fillers: Fields = field(default_factory=dict)
    """How fc6 and fc7 start, where the net is trained from nothing."""
    drops: bool = True
    """Whether the head drops numbers at all."""
    pool: tuple[str, str] = ("roi_pool5", "pool5")
    """The RoI pooling's layer and top."""
    losses: tuple[str, str] = ("loss_cls", "loss_bbox")
    """Tops of the head's losses."""
    loss_param: Fields = field(default_factory=dict)
    dropout: Fields = field(default_factory=dict)
    """Fields of the dropouts beside their ratio."""
    tested: Style = BARE
    """How params are declared in the TEST nets, but for those of the four steps."""
    step_names: Names = SLASHED
    """How the four steps' RPN is called."""
    step_dropout: bool = False
    """Whether their last TEST net has dropout layers."""
    idle: tuple[str, ...] = ()
    """Layers between fc6 and fc7 where an RPN's training carries these two along."""
    idle_filler: Fields = field(default_factory=dict)
    """What they are fed there."""


def head(backbone: Backbone, task: DetectionTask, style: Style) -> Layers:
    """RoI pooling, two layers, and for each RoI its class and a box for each class."""
    name, pooled = backbone.pool
    bins = {"pooled_h": backbone.bins, "pooled_w": backbone.bins, "spatial_scale": 1 / STRIDE}
    between = ("relu", "drop") if task.dropout and backbone.drops else ("relu",)
    return [
        layer("ROIPooling", name, [backbone.feature, "rois"], [pooled], roi_pooling_param=bins),
        *_hidden(backbone, 6, pooled, style, between),
        *_hidden(backbone, 7, "fc6", style, between),
        fully("cls_score", "fc7", task.classes, style.learned, gaussian(0.01, style)),
        fully("bbox_pred", "fc7", 4 * task.classes, style.learned, gaussian(0.001, style)),
    ]


def _hidden(backbone: Backbone, number: int, bottom: str, style: Style, between: tuple[str, ...]) -> Layers:
    """fc6 or fc7, and in place on it what is between it and the next layer."""
    blob = f"fc{number}"
    dropout = {"dropout_ratio": 0.5, **backbone.dropout}
    behind = {
        "relu": relu(f"relu{number}", blob),
        "drop": layer("Dropout", f"drop{number}", [blob], [blob], dropout_param=dropout),
    }
    fillers = backbone.fillers if style.fillers else {}
    product = fully(blob, bottom, backbone.widths[number - 6], style.learned, fillers)
    return [product, *(behind[kind] for kind in between)]


def losses(backbone: Backbone) -> Layers:
    """The head's two losses."""
    cls, bbox = backbone.losses
    fields: Fields = {"loss_param": backbone.loss_param} if backbone.loss_param else {}
    return [
        loss("SoftmaxWithLoss", "loss_cls", ["cls_score", "labels"], cls, flow=True, **fields),
        loss("SmoothL1Loss", "loss_bbox", ["bbox_pred", *ROI_TARGETS[2:]], bbox),
    ]


def end2end_train(backbone: Backbone, task: DetectionTask) -> NetParameter:
    """RPN and head trained together."""
    layers = [
        image_data(task),
        *backbone.trunk(TRAINED),
        *rpn(backbone.feature, backbone.rpn_width, task, TRAINED),
        two_way(),
        *rpn_losses(task),
        *proposals(task, "rpn_rois"),
        roi_targets(task.classes),
        *head(backbone, task, TRAINED),
        *losses(backbone),
    ]
    return net(backbone.name, layers)


def end2end_test(backbone: Backbone, task: DetectionTask) -> NetParameter:
    """From an image to the classes and boxes of its RoIs."""
    style = backbone.tested
    return _detector(backbone, task, style, replace(style, fillers=True), SLASHED)


def steps_test(backbone: Backbone, task: DetectionTask) -> NetParameter:
    """The same with the weights of the four steps."""
    task = replace(task, dropout=task.dropout and backbone.step_dropout)
    return _detector(backbone, task, BARE, BARE, backbone.step_names)


def _detector(backbone: Backbone, task: DetectionTask, style: Style, rpn_style: Style, names: Names) -> NetParameter:
    layers = [
        *backbone.trunk(style),
        *rpn(backbone.feature, backbone.rpn_width, task, rpn_style, names),
        two_way(),
        *proposals(task, "rois"),
        *head(backbone, task, style),
        softmax("cls_prob", "cls_score"),
    ]
    return net(backbone.name, layers, data=IMAGE, im_info=IM_INFO)


def fast_rcnn_train(backbone: Backbone, task: DetectionTask) -> NetParameter:
    """The head trained on RoIs from elsewhere."""
    layers = [roi_data(task), *backbone.trunk(TRAINED), *head(backbone, task, TRAINED), *losses(backbone)]
    return net(backbone.name, layers)


def fast_rcnn_test(backbone: Backbone, task: DetectionTask) -> NetParameter:
    """From an image and RoIs to their classes and boxes."""
    style = backbone.tested
    layers = [*backbone.trunk(style), *head(backbone, task, style), softmax("cls_prob", "cls_score")]
    return net(backbone.name, layers, data=IMAGE, rois=ROIS)


def rpn_step(backbone: Backbone, task: DetectionTask, trunk: Style) -> NetParameter:
    """One of the four steps: the RPN learns, the head's layers are only carried along."""
    size = [1, backbone.channels * backbone.bins**2]
    feed = {"data_filler": [backbone.idle_filler], "shape": [{"dim": size}]}
    layers = [
        image_data(task),
        *backbone.trunk(trunk),
        *rpn(backbone.feature, backbone.rpn_width, task, TRAINED, backbone.step_names),
        two_way(),
        *rpn_losses(task),
        layer("DummyData", "dummy_roi_pool_conv5", [], ["dummy_roi_pool_conv5"], dummy_data_param=feed),
        *_hidden(backbone, 6, "dummy_roi_pool_conv5", FROZEN, backbone.idle),
        *_hidden(backbone, 7, "fc6", FROZEN, ()),
        silence("silence_fc7", "fc7"),
    ]
    return net(backbone.name, layers)


def fast_rcnn_step(backbone: Backbone, task: DetectionTask, trunk: Style) -> NetParameter:
    """One of the four steps: the head learns on the RPN's proposals, the RPN's layers are only carried along."""
    layers = [
        roi_data(task),
        *backbone.trunk(trunk),
        *head(backbone, task, TRAINED),
        *losses(backbone),
        *rpn(backbone.feature, backbone.rpn_width, task, FROZEN, backbone.step_names),
        silence("silence_rpn_cls_score", "rpn_cls_score"),
        silence("silence_rpn_bbox_pred", "rpn_bbox_pred"),
    ]
    return net(backbone.name, layers)


def rpn_test(backbone: Backbone, task: DetectionTask) -> NetParameter:
    """From an image to RoIs and their scores."""
    layers = [
        *backbone.trunk(BARE),
        *rpn(backbone.feature, backbone.rpn_width, task, BARE, backbone.step_names),
        two_way(),
        *proposals(task, "rois", "scores"),
    ]
    return net(backbone.name, layers, data=IMAGE, im_info=IM_INFO)
