"""A net over many pictures."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recaffe.tools.datasets.annotations.pictures import Picture
from recaffe.tools.detection.errors import DetectionError
from recaffe.tools.detection.net_input import NetInput
from recaffe.tools.detection.sets.store import Store
from recaffe.tools.detection.sets.sweep import Share, Sweep
from recaffe.tools.detection.sets.tasks import TaskReport

PICTURES = [Picture(str(i), Path(str(i)), None, (), Path("a"), 1) for i in range(7)]


class Counting:
    """Answers each picture with its number and remembers in what company it came."""

    settings: Mapping[str, Any] = {}

    def __init__(self, fails_at: int = -1) -> None:
        self.fails_at, self.groups = fails_at, list[list[int]]()

    def prepare(self, picture: Picture) -> NetInput:
        return NetInput(int(picture.name), 0, np.zeros((1, 3, 1, 1), np.float32), (1.0,))

    def answer(self, inputs: Sequence[NetInput]) -> list[np.ndarray]:
        numbers = [one.height for one in inputs]
        if self.fails_at in numbers:
            raise KeyboardInterrupt
        self.groups.append(numbers)
        return [np.full((1, 6), number, np.float32) for number in numbers]

    def measure(self, found: Mapping[str, Any], out: Path, plot: bool) -> TaskReport:
        raise NotImplementedError


def test_all_pictures_in_order(tmp_path: Path) -> None:
    task, store = Counting(), Store(tmp_path / "found")
    assert Sweep(task, batch=3).run(PICTURES, store, Share()) > 0
    assert task.groups == [[0, 1, 2], [3, 4, 5], [6]]
    assert [store.get(picture.name)[0, 0] for picture in PICTURES] == list(range(7))
    assert Sweep(task).run(PICTURES, store, Share()) == 0
    assert len(task.groups) == 3


def test_what_breaks_off_goes_on(tmp_path: Path) -> None:
    store, second = Store(tmp_path / "found"), Counting()
    with pytest.raises(KeyboardInterrupt):
        Sweep(Counting(fails_at=4)).run(PICTURES, store, Share())
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("pictures")] == []
    assert sorted(path.name for path in store.folder.iterdir()) == ["0.npy", "1.npy", "2.npy", "3.npy"]
    Sweep(second).run(PICTURES, store, Share())
    assert second.groups == [[4], [5], [6]]


def test_a_picture_that_cannot_be_read_ends_it(tmp_path: Path) -> None:
    task = Counting()

    def unreadable(picture: Picture) -> NetInput:
        raise DetectionError(f"{picture.path}: cannot be read")

    task.prepare = unreadable  # type: ignore[method-assign]
    with pytest.raises(DetectionError, match="0: cannot be read"):
        Sweep(task).run(PICTURES, Store(tmp_path), Share())


def test_processes_share_the_pictures(tmp_path: Path) -> None:
    """The first waits for the others, whoever is done first; one that comes back does only its own."""
    store, first, second = Store(tmp_path / "found"), Counting(), Counting()
    waiting = threading.Thread(target=Sweep(first).run, args=(PICTURES, store, Share(0, 2)))
    waiting.start()
    Sweep(second, 2).run(PICTURES, store, Share(1, 2))
    waiting.join(10)
    assert not waiting.is_alive()
    assert first.groups == [[0], [2], [4], [6]]
    assert second.groups == [[1, 3], [5]]


def test_torchrun_tells_the_share(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert Share.of_environment() == Share(0, 1, 0)
    monkeypatch.setenv("RANK", "5")
    monkeypatch.setenv("WORLD_SIZE", "8")
    assert Share.of_environment() == Share(5, 8, 5)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert Share.of_environment() == Share(5, 8, 1)
    monkeypatch.setenv("WORLD_SIZE", "5")
    with pytest.raises(DetectionError) as error:
        Share.of_environment()
    assert str(error.value) == "RANK '5' of WORLD_SIZE '5': torchrun sets these, else leave them out"
