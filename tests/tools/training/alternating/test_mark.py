"""What is known of a step: whether it is done, and that it was begun from the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from recaffe.tools.training.alternating.mark import Mark
from recaffe.tools.training.errors import TrainingError

INPUTS = {"net": "a", "weights": "b"}
WAY_OUT = "force=True begins it anew, or choose another out="


@pytest.fixture
def done(tmp_path: Path) -> Path:
    """A step that gave a file."""
    mark = Mark(tmp_path / "step", INPUTS)
    assert mark.result() is None
    (mark.folder / "weights").write_bytes(b"right")
    return mark.done(mark.folder / "weights")


def test_a_step_is_done_once_it_says_so(tmp_path: Path) -> None:
    mark = Mark(tmp_path / "a" / "step", INPUTS)
    assert mark.result() is None
    assert mark.result() is None
    (mark.folder / "weights").write_bytes(b"right")
    assert mark.result() is None
    assert mark.done(mark.folder / "weights") == mark.result() == mark.folder / "weights"


def test_other_inputs(done: Path) -> None:
    mark = Mark(done.parent, {"net": "c", "weights": "d"})
    with pytest.raises(TrainingError) as refused:
        mark.result()
    assert str(refused.value) == f"{mark.folder}: was begun from another net, weights: {WAY_OUT}"
    assert done.exists()
    assert mark.result(force=True) is None
    assert not done.exists()


@pytest.mark.parametrize("content", [b"wrong", None])
def test_a_result_that_changed(content: bytes | None, done: Path) -> None:
    done.unlink()
    if content is not None:
        done.write_bytes(content)
    with pytest.raises(TrainingError) as refused:
        Mark(done.parent, INPUTS).result()
    assert str(refused.value) == f"{done.parent}: its weights is no longer the one that it gave: {WAY_OUT}"


def test_with_force_what_is_right_stays(done: Path) -> None:
    assert Mark(done.parent, INPUTS).result(force=True) == done


@pytest.mark.parametrize("name", ["step.json", "thesis.tex"])
def test_folders_of_something_else_are_not_touched(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("[]")
    what = f"{tmp_path}: holds files of something else"
    if name == "step.json":
        what = f"{tmp_path}/step.json: is none that was written here"
    with pytest.raises(TrainingError) as refused:
        Mark(tmp_path, INPUTS).result(force=True)
    assert str(refused.value) == f"{what}: choose another out="
    assert (tmp_path / name).read_text() == "[]"
