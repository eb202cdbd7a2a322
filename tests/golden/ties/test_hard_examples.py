"""Hard examples among equal losses: the golden may keep any of them, and no RoI of a smaller loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from recaffe.golden.fixture.fixture import Array, Fixture
from recaffe.golden.run import verify
from recaffe.golden.ties.hard_examples import follow_hard_examples
from recaffe.golden.ties.tie import GoldenSide
from recaffe.layers.box_annotator_ohem import BoxAnnotatorOHEMLayer

SHAPES = {"rois": 5, "losses": 1, "labels": 1, "weights": 8}
LOSSES = np.float32([7, 5, 5, 2, 5, 9, 5, 1, 1, 8])
IMAGES = np.float32([0, 0, 0, 0, 0, 0, 1, 1, 1, 1])


def golden(kept: Sequence[int]) -> Fixture:
    """Ten RoIs of two images, of which each keeps three."""
    shape = "input_param {{ shape {{ dim: 10 dim: {} dim: 1 dim: 1 }} }}"
    inputs = "".join(
        f'layer {{ name: "{name}" type: "Input" top: "{name}" {shape.format(n)} }}' for name, n in SHAPES.items()
    )
    layer = (
        'layer { name: "op" type: "BoxAnnotatorOHEM" bottom: "rois" bottom: "losses" bottom: "labels" '
        'bottom: "weights" top: "l" top: "w" box_annotator_ohem_param { roi_per_img: 3 } }'
    )
    rng = np.random.RandomState(4)
    rois = np.hstack([IMAGES[:, None], rng.rand(10, 4).astype(np.float32)])
    labels = np.float32([1, 0, 2, 3, 0, 1, 2, 3, 0, 1])
    fed = {"rois": rois, "losses": LOSSES, "labels": labels, "weights": rng.rand(10, 8)}
    bottoms = {name: blob.astype(np.float32).reshape(10, -1, 1, 1) for name, blob in fed.items()}
    return replace(Fixture(Path("ohem"), inputs + layer, "TRAIN", bottoms=bottoms), tops=tops(bottoms, kept))


def tops(bottoms: dict[str, Array], kept: Sequence[int]) -> dict[str, Array]:
    mask = np.isin(np.arange(10), kept)[:, None, None, None]
    return {
        "l": np.where(mask, bottoms["labels"], np.float32(-1)),
        "w": np.where(mask, bottoms["weights"], np.float32(0)),
    }


@pytest.mark.parametrize("isolate", [False, True], ids=["whole", "isolated"])
@pytest.mark.parametrize("kept", [(0, 5, 4, 6, 9, 8), (0, 5, 2, 6, 9, 7)])
def test_any_of_equal_losses(kept: Sequence[int], isolate: bool) -> None:
    report = verify(golden(kept), isolate)
    assert report.outcome == "same but for ties"
    (tie,) = report.ties
    assert " of 10 RoIs are kept on one side alone: RoI " in tie.text
    assert tie.score in (5, 1)


def test_the_first_of_equal_losses_is_ours() -> None:
    assert verify(golden((0, 5, 1, 6, 9, 7))).outcome == "same"


@pytest.mark.parametrize(
    "kept", [(0, 5, 3, 6, 9, 7), (0, 1, 2, 6, 9, 7), (0, 5, 6, 9, 7), (0, 5, 1, 2, 6, 9, 7), (0, 5, 1, 6, 7, 8)]
)
def test_other_choices_are_wrong(kept: Sequence[int]) -> None:
    report = verify(golden(kept))
    assert (report.outcome, report.ties) == ("different", [])


def test_another_label_is_wrong() -> None:
    fixture = golden((0, 5, 4, 6, 9, 8))
    fixture.tops["l"][5] += 1
    assert verify(fixture).outcome == "different"


def test_rounding_parts_equal_losses() -> None:
    fixture = golden((0, 5, 4, 6, 9, 8))
    theirs = tuple(torch.from_numpy(fixture.bottoms[name]) for name in SHAPES)
    losses = theirs[1].clone()
    losses[[1, 2, 7]] = torch.tensor([5.000001, 5.0000005, 1.0000001]).view(3, 1, 1, 1)
    ours, layer = (theirs[0], losses, *theirs[2:]), BoxAnnotatorOHEMLayer(roi_per_img=3)
    side = GoldenSide((torch.from_numpy(fixture.tops["l"]), torch.from_numpy(fixture.tops["w"])), theirs)
    choice = follow_hard_examples(layer, ours, layer(*ours), side, 1e-4)
    assert choice is not None
    assert all(map(torch.equal, choice.tops, side.tops))
    assert follow_hard_examples(layer, ours, layer(*ours), replace(side, bottoms=None), 1e-4) is None
