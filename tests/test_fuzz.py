"""A fixed slice of the random nets of `make fuzz`: a few of each type, held against all that it checks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from recaffe.layers import registered
from recaffe.prototxt.text import print_text, read_net

from .fuzz.case import Case
from .fuzz.checks import CHECKS, Trial
from .fuzz.draw import DRAWS, Dice, Drawn, Shape
from .fuzz.judge import Failure, findings, judged
from .fuzz.random_net import COMPANIONS, random_net, types
from .fuzz.shrink import shrink, write
from .layers.reading import READINGS, Given
from .layers.reading.elementwise import relu

NO_BOTTOM = {"Data", "DummyData", "HDF5Data", "ImageData", "Input", "MemoryData", "WindowData"}
WRITES_FILES = {"HDF5Output"}
PAGE = "docs/fuzz.md says how to write them"


def test_every_type_is_drawn_and_read() -> None:
    typed = {name for name in registered() if "." not in name} - NO_BOTTOM - WRITES_FILES
    assert typed - set(types()) == set(), f"no draw in tests/fuzz/draws/; {PAGE}"
    assert typed - READINGS.keys() == set(), f"no reading in tests/layers/reading/; {PAGE}"
    assert set(COMPANIONS) <= set(types()) == typed


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("kind", types())
def test_random_nets(kind: str) -> None:
    for number in (7, 8):
        found, _ = judged(kind, number, CHECKS if number == 7 else CHECKS.keys() - {"ports"})
        assert [f"{failure.command}: {failure.told}" for failure in found] == []


def test_a_new_type_leaves_the_nets_of_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def nets() -> list[str]:
        return [print_text(random_net(kind, 3).net) for kind in ("Convolution", "Eltwise", "Pooling", "Tile")]

    before = nets()
    assert len(set(before)) == 4
    monkeypatch.setitem(DRAWS, "Newt", lambda shape, of: Drawn())
    assert nets() == before


def leaky(given: Given) -> list[object]:
    return [top + 1e-3 * (given.x < 0) for top in relu(given)]


def wrong_reading(monkeypatch: pytest.MonkeyPatch) -> Failure:
    monkeypatch.setitem(READINGS, "ReLU", leaky)
    return next(failure for number in range(9) for failure in judged("ReLU", number, ["forward"])[0])


def test_what_differs_is_found_and_made_small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    failure = wrong_reading(monkeypatch)
    assert failure.check == "forward"
    assert "in the reading" in failure.told
    small = shrink(failure)
    assert small.case is not None
    assert failure.case is not None
    assert [layer.type for layer in small.case.message.layer] == ["Input", "Scale", "ReLU"]
    path = write(small, tmp_path)
    text = path.read_text()
    assert text.splitlines()[1] == f"# make fuzz SEED={failure.number} TYPE=ReLU"
    again = Case(read_net(text).net, small.case.phase, small.case.seed, small.case.feeds)
    assert [check for check, _ in findings(again, ["forward"])] == ["forward"]


@pytest.mark.parametrize("check", ["diffs", "whole backward", "layouts", "whole forward", "inference", "batches"])
def test_a_wrong_layer_is_found(check: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each check sees a layer whose values or diffs are wrong by what they may not depend on."""
    right = registered()["TanH"].forward

    def wrong(self: torch.nn.Module, *bottoms: torch.Tensor) -> tuple[torch.Tensor, ...]:
        (y,) = right(self, *bottoms)
        if check in ("diffs", "whole backward"):
            return (y + 0.01 * (y - y.detach()),)
        if check == "layouts":
            return (y + 0.1 * (not bottoms[0].is_contiguous()),)
        wrong.calls = getattr(wrong, "calls", 0) + 1  # type: ignore[attr-defined]
        return (y + (len(bottoms[0]) if check == "batches" else 0.1 * wrong.calls),)  # type: ignore[attr-defined]

    monkeypatch.setattr(registered()["TanH"], "forward", wrong)
    assert any(judged("TanH", number, [check])[0] for number in range(12))


def test_dice_give_axes_from_either_end() -> None:
    of = Dice("axes")
    found = {of.axis(3, 1) for _ in range(99)}
    shape: Shape = (2, 3, 4)
    assert found == {1, 2, -1, -2}
    assert {shape[axis] for axis in found} == {3, 4}


def test_a_trial_runs_every_layer() -> None:
    trial = Trial(random_net("Slice", 0).case())
    assert len(trial.runs) == len([step for step in trial.net.steps if step.node.type != "Input"])
