"""The models of the zoo, and the schemes that each is trained by."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..caffe_pb2 import NetParameter
from ..errors import PrototxtError
from . import faster_rcnn, rfcn
from .blocks import FROZEN, TRAINED
from .faster_rcnn import Backbone
from .resnet import RESNET_50, RESNET_101
from .rfcn import Kind, Stages
from .rpn import DetectionTask
from .small import SMALL, SMALL_STAGES
from .vgg16 import VGG16
from .vgg_cnn_m_1024 import VGG_CNN_M_1024
from .zf import ZF

Builder = Callable[[DetectionTask], NetParameter]
Schemes = dict[str, dict[str, Builder]]
"""Scheme -> phase -> what builds the net."""


class ZooError(PrototxtError):
    """The zoo has no such net."""


def _faster_rcnn(backbone: Backbone) -> Schemes:
    def build(make: Callable[..., NetParameter], **fields: object) -> Builder:
        return partial(make, backbone, **fields)

    rpn_test = build(faster_rcnn.rpn_test)
    return {
        "end2end": {"TRAIN": build(faster_rcnn.end2end_train), "TEST": build(faster_rcnn.end2end_test)},
        "fast-rcnn": {"TRAIN": build(faster_rcnn.fast_rcnn_train), "TEST": build(faster_rcnn.fast_rcnn_test)},
        "stage1-rpn": {"TRAIN": build(faster_rcnn.rpn_step, trunk=TRAINED), "TEST": rpn_test},
        "stage1-fast-rcnn": {"TRAIN": build(faster_rcnn.fast_rcnn_step, trunk=TRAINED)},
        "stage2-rpn": {"TRAIN": build(faster_rcnn.rpn_step, trunk=FROZEN), "TEST": rpn_test},
        "stage2-fast-rcnn": {
            "TRAIN": build(faster_rcnn.fast_rcnn_step, trunk=FROZEN),
            "TEST": build(faster_rcnn.steps_test),
        },
    }


def _rfcn(stages: Stages) -> Schemes:
    def end2end(kind: Kind) -> dict[str, Builder]:
        return {"TRAIN": partial(rfcn.end2end_train, kind), "TEST": partial(rfcn.end2end_test, kind)}

    hard = Kind(stages, ohem=True)
    head: dict[str, Builder] = {"TRAIN": partial(rfcn.rfcn_step, hard), "TEST": partial(rfcn.rfcn_test, hard)}
    test = partial(rfcn.rpn_test, hard)
    return {
        "end2end": end2end(Kind(stages)),
        "end2end-ohem": end2end(hard),
        "class-aware": end2end(Kind(stages, class_aware=True)),
        "class-aware-ohem": end2end(Kind(stages, ohem=True, class_aware=True)),
        "stage1-rpn": {"TRAIN": partial(rfcn.rpn_step, hard, learned_from=3), "TEST": test},
        "stage1-rfcn": head,
        "stage2-rpn": {"TRAIN": partial(rfcn.rpn_step, hard, learned_from=5), "TEST": test},
        "stage2-rfcn": head,
        "stage3-rpn": {"TRAIN": partial(rfcn.rpn_step, hard, learned_from=5), "TEST": test},
    }


MODELS: dict[str, Schemes] = {
    "vgg16": _faster_rcnn(VGG16),
    "zf": _faster_rcnn(ZF),
    "vgg_cnn_m_1024": _faster_rcnn(VGG_CNN_M_1024),
    "resnet50": _rfcn(RESNET_50),
    "resnet101": _rfcn(RESNET_101),
    "small": _faster_rcnn(SMALL),
    "small_rfcn": _rfcn(SMALL_STAGES),
}


def schemes_of(model: str) -> Schemes:
    """The schemes of a model."""
    if model not in MODELS:
        raise ZooError(f"no model {model!r} in the zoo (known: {', '.join(MODELS)})")
    return MODELS[model]


def is_rfcn(model: str) -> bool:
    """Whether a model is an R-FCN: its steps are five."""
    return "stage3-rpn" in schemes_of(model)


def make_net(
    model: str, scheme: str = "end2end", phase: str = "TEST", task: DetectionTask = DetectionTask()
) -> NetParameter:
    """A net of the zoo as a message; `print_text` writes it as a prototxt."""
    schemes = schemes_of(model)
    if scheme not in schemes:
        raise ZooError(f"{model} has no scheme {scheme!r} (known: {', '.join(schemes)})")
    if phase not in schemes[scheme]:
        raise ZooError(f"{model} {scheme} has no {phase} net: its weights go into the next stage")
    return schemes[scheme][phase](task)
