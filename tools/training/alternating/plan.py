"""The plans of alternating training: what each step trains, from which weights, on whose proposals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

RPN_TEST = "rpn_test.pt"
"""The net that proposes, with the weights of any step that trains an RPN."""


@dataclass(frozen=True)
class PlannedStep:
    """One training; the name of its solver's file begins with its `name`."""

    name: str
    config: Mapping[str, Any]
    """What it changes in the config, whatever the user says."""
    weights: str | None = None
    """The step whose weights it starts from; None: those that are handed in."""
    proposals: str | None = None
    """The step whose RPN proposes the regions that it trains on."""


@dataclass(frozen=True)
class FinalNet:
    """What is left in the end: a file of this name, of a step's weights, and the net that they go with."""

    name: str
    step: str
    net: str


@dataclass(frozen=True)
class Plan:
    """The steps in their order."""

    steps: tuple[PlannedStep, ...]
    results: tuple[FinalNet, ...]
    proposing: Mapping[str, Any]
    """The config while an RPN proposes regions to train on."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """The originals' experiment, which the user may change."""
    measures: bool = False
    """Whether the RPN's normalisation is measured before all else, where the config asks for one."""


def _rpn(stage: int, weights: str | None = None) -> PlannedStep:
    """An RPN, which learns from the truths alone."""
    config = {"HAS_RPN": True, "BBOX_REG": False, "PROPOSAL_METHOD": "gt", "IMS_PER_BATCH": 1}
    return PlannedStep(f"stage{stage}_rpn", _train(config, stage), weights)


def _head(name: str, stage: int, pictures: int, weights: str | None = None) -> PlannedStep:
    """What classifies, on the proposals of the same stage's RPN."""
    config = {"HAS_RPN": False, "PROPOSAL_METHOD": "rpn", "IMS_PER_BATCH": pictures}
    return PlannedStep(f"stage{stage}_{name}", _train(config, stage), weights, f"stage{stage}_rpn")


def _train(keys: Mapping[str, Any], stage: int) -> dict[str, Any]:
    return {f"TRAIN.{key}": value for key, value in keys.items()} | {"TRAIN.SNAPSHOT_INFIX": f"stage{stage}"}


FASTER_RCNN = Plan(
    steps=(
        _rpn(1),
        _head("fast_rcnn", 1, pictures=2),
        _rpn(2, weights="stage1_fast_rcnn"),
        _head("fast_rcnn", 2, pictures=2, weights="stage2_rpn"),
    ),
    results=(FinalNet("final", "stage2_fast_rcnn", "faster_rcnn_test.pt"),),
    proposing={"TEST.RPN_PRE_NMS_TOP_N": -1, "TEST.RPN_POST_NMS_TOP_N": 2000},
    config={"TRAIN.BG_THRESH_LO": 0.0, "TEST.HAS_RPN": True},
)
"""The paper's four steps: the second stage keeps the first one's convolutions, and both nets are one in the end."""

RFCN = Plan(
    steps=(
        _rpn(1),
        _head("rfcn", 1, pictures=1),
        _rpn(2, weights="stage1_rfcn"),
        _head("rfcn", 2, pictures=1),
        _rpn(3, weights="stage2_rfcn"),
    ),
    results=(FinalNet("final_rpn", "stage3_rpn", RPN_TEST), FinalNet("final_rfcn", "stage2_rfcn", "rfcn_test.pt")),
    proposing={"TEST.RPN_PRE_NMS_TOP_N": 6000, "TEST.RPN_POST_NMS_TOP_N": 300},
    config={
        "TRAIN.BG_THRESH_LO": 0.0,
        "TRAIN.RPN_PRE_NMS_TOP_N": 6000,
        "TRAIN.RPN_POST_NMS_TOP_N": 300,
        "TRAIN.AGNOSTIC": True,
        "TRAIN.BATCH_SIZE": -1,
        "TRAIN.RPN_NORMALIZE_TARGETS": True,
        "TEST.PROPOSAL_METHOD": "rpn",
        "TEST.HAS_RPN": False,
        "TEST.AGNOSTIC": True,
    },
    measures=True,
)
"""py-R-FCN's five: each R-FCN starts from the weights handed in, and each later RPN on the convolutions of the last."""
