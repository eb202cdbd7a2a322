from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from recaffe.prototxt.net import Allow
from recaffe.prototxt.text.config import Config
from recaffe.tools.datasets.annotations.voc import VocSet
from recaffe.tools.detection.detector import Detector

CLASSES = ("disc", "block", "wedge")
VARIANTS = {
    "frcnn": ("frcnn", "frcnn"),
    "frcnn_noreg": ("frcnn", "frcnn"),
    "fast": ("fast", "frcnn"),
    "fast_pyramid": ("fast", "frcnn"),
    "rfcn": ("rfcn", "rfcn"),
}
"""Prototxt and weights of what the originals ran."""
Golden = dict[str, NDArray[Any]]


@pytest.fixture(scope="session")
def folder(fixtures_dir: Path) -> Path:
    """What the originals were given and what they answered."""
    return fixtures_dir / "detection"


@pytest.fixture(scope="session")
def golden(folder: Path) -> Callable[[str], Golden]:
    """A file of what the originals answered, by its name."""

    def load(name: str) -> Golden:
        with np.load(folder / f"{name}.npz") as archive:
            return dict(archive)

    return load


@pytest.fixture(scope="session")
def voc(folder: Path) -> VocSet:
    """The pictures that the originals detected in."""
    return VocSet(folder / "VOCdevkit2007", "test", CLASSES)


@pytest.fixture(scope="session")
def config_of(golden: Callable[[str], Golden]) -> Callable[[str], Config]:
    """The settings of a variant."""

    def make(name: str) -> Config:
        changes = json.loads(str(golden(f"detection/{name}/all_boxes_default")["cfg"]))
        return Config.default("rfcn" if name == "rfcn" else "frcnn").with_flat(changes)

    return make


@pytest.fixture(scope="session")
def detector_of(folder: Path, config_of: Callable[[str], Config]) -> Callable[[str], Detector]:
    """The detector of a variant."""
    made: dict[str, Detector] = {}

    def make(name: str) -> Detector:
        if name not in made:
            net, weights = VARIANTS[name]
            made[name] = Detector.from_caffe(
                folder / "nets" / f"{net}.prototxt",
                folder / "nets" / f"{weights}.caffemodel",
                classes=CLASSES,
                config=config_of(name),
                allow=Allow(unused=net == "fast"),
            )
        return made[name]

    return make


def close(have: NDArray[Any], want: NDArray[Any], tolerance: float = 1e-5) -> bool:
    """Within a part of the largest magnitude."""
    if have.shape != want.shape:
        return False
    return not want.size or float(np.abs(have - want).max()) <= tolerance * float(np.abs(want).max())
