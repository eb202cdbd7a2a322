"""The solvers that go with the nets: SGD whose rate falls once, to a tenth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..caffe_pb2 import SolverParameter
from .catalog import MODELS, ZooError, is_rfcn, schemes_of

Plan = Mapping[str, Any]
_USUAL: Plan = {
    "base_lr": 0.001,
    "lr_policy": "step",
    "gamma": 0.1,
    "display": 20,
    "average_loss": 100,
    "momentum": 0.9,
    "weight_decay": 0.0005,
    "snapshot": 0,
}
_FASTER_RCNN: Mapping[tuple[str, str], Plan] = {
    ("voc", "end2end"): {"stepsize": 50_000, "snapshot_prefix": "faster_rcnn", "iter_size": 2},
    ("voc", "fast-rcnn"): {"stepsize": 30_000, "snapshot_prefix": "fast_rcnn"},
    ("voc", "step rpn"): {"stepsize": 60_000, "snapshot_prefix": "rpn"},
    ("voc", "step fast-rcnn"): {"stepsize": 30_000, "snapshot_prefix": "fast_rcnn"},
    ("coco", "end2end"): {"stepsize": 350_000, "snapshot_prefix": "faster_rcnn", "iter_size": 2},
    ("coco", "fast-rcnn"): {"stepsize": 200_000, "snapshot_prefix": "fast_rcnn"},
}
_SMALL: Plan = {"base_lr": 0.002, "iter_size": None, "clip_gradients": 10, "stepsize": 16_000}
"""What goes with the small nets, which start from nothing."""
_SMALL_STEPSIZES = {"stage1-rpn": 6_000, "stage2-rpn": 6_000, "stage2-fast-rcnn": 9_000, "stage3-rpn": 6_000}
"""Where their rate falls sooner."""
_PLAIN: Plan = {"snapshot_prefix": "rfcn", "average_loss": None}
_HARD: Plan = {"snapshot_prefix": "rfcn_ohem"}
_RFCN: Mapping[tuple[str, str], Plan] = {
    ("voc", "end2end"): {**_PLAIN, "stepsize": 80_000, "iter_size": 2},
    ("voc", "end2end-ohem"): {**_HARD, "stepsize": 80_000, "iter_size": 2, "average_loss": None},
    ("voc", "step rpn"): {"stepsize": 60_000, "snapshot_prefix": "rpn"},
    ("voc", "step rfcn"): {**_HARD, "stepsize": 80_000, "iter_size": 2},
    ("coco", "end2end"): {**_PLAIN, "stepsize": 640_000, "display": 100},
    ("coco", "end2end-ohem"): {**_HARD, "stepsize": 1_280_000, "display": 100, "base_lr": 0.0005},
    ("coco", "step rpn"): {"stepsize": 360_000, "snapshot_prefix": "rpn"},
    ("coco", "step rfcn"): {**_HARD, "stepsize": 360_000, "iter_size": 2},
}
"""What is unusual, by data set and by what is trained; None is not said."""


def make_solver(
    model: str, scheme: str = "end2end", dataset: str = "voc", train_net: str = "train.prototxt"
) -> SolverParameter:
    """The solver of a scheme as a message; what the originals say on their command line, as max_iter, is unset."""
    if scheme not in schemes_of(model):
        raise ZooError(f"{model} has no scheme {scheme!r} (known: {', '.join(MODELS[model])})")
    kind = scheme.replace("class-aware", "end2end")  # of these the originals have no solvers of their own
    if kind.startswith("stage"):
        kind = f"step {kind.partition('-')[2]}"
    plan = (_RFCN if is_rfcn(model) else _FASTER_RCNN).get((dataset, kind))
    if plan is None:
        raise ZooError(f"the originals have no {dataset} solver for {model} {scheme}: take voc's, set its stepsize")
    if model.startswith("small"):
        plan = {**plan, **_SMALL, "stepsize": _SMALL_STEPSIZES.get(scheme, _SMALL["stepsize"])}
    if model == "vgg_cnn_m_1024":
        plan = {**plan, "iter_size": None}
    fields = {**_USUAL, **plan, "snapshot_prefix": f"{model.removesuffix('_rfcn')}_{plan['snapshot_prefix']}"}
    return SolverParameter(train_net=train_net, **fields)
