"""The plans are the originals': train_faster_rcnn_alt_opt.py's and train_rfcn_alt_opt_5stage.py's."""

from __future__ import annotations

import pytest

from recaffe.prototxt.text.config import Config
from recaffe.tools.training.alternating.plan import FASTER_RCNN, RFCN, Plan


@pytest.mark.parametrize(
    ("plan", "steps"),
    [
        (
            FASTER_RCNN,
            [
                ("stage1_rpn", None, None, 1),
                ("stage1_fast_rcnn", None, "stage1_rpn", 2),
                ("stage2_rpn", "stage1_fast_rcnn", None, 1),
                ("stage2_fast_rcnn", "stage2_rpn", "stage2_rpn", 2),
            ],
        ),
        (
            RFCN,
            [
                ("stage1_rpn", None, None, 1),
                ("stage1_rfcn", None, "stage1_rpn", 1),
                ("stage2_rpn", "stage1_rfcn", None, 1),
                ("stage2_rfcn", None, "stage2_rpn", 1),
                ("stage3_rpn", "stage2_rfcn", None, 1),
            ],
        ),
    ],
)
def test_the_steps(plan: Plan, steps: list[tuple[str, str | None, str | None, int]]) -> None:
    told = [(step.name, step.weights, step.proposals, step.config["TRAIN.IMS_PER_BATCH"]) for step in plan.steps]
    assert told == steps


@pytest.mark.parametrize(("plan", "variant"), [(FASTER_RCNN, "frcnn"), (RFCN, "rfcn")])
def test_each_steps_config(plan: Plan, variant: str) -> None:
    base = Config.default(variant).with_flat(plan.config)
    for step in plan.steps:
        config, rpn = base.with_flat(step.config), step.name.endswith("rpn")
        assert (config["TRAIN.HAS_RPN"], config["TRAIN.BBOX_REG"]) == (rpn, not rpn)
        assert config["TRAIN.PROPOSAL_METHOD"] == ("gt" if rpn else "rpn")
        assert config["TRAIN.SNAPSHOT_INFIX"] == step.name.partition("_")[0]
        assert config["TRAIN.BG_THRESH_LO"] == 0


def test_how_many_regions_are_proposed() -> None:
    kept = [list(plan.proposing.values()) for plan in (FASTER_RCNN, RFCN)]
    assert kept == [[-1, 2000], [6000, 300]]
