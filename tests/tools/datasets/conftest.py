from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from recaffe.prototxt.text.config import Config
from recaffe.tools.datasets.annotations.voc import VocSet
from recaffe.tools.datasets.box_targets import with_targets
from recaffe.tools.datasets.proposals import with_proposals
from recaffe.tools.datasets.roidb import Roidb, chosen, truth_roidb, usable, with_flips

CLASSES = ("disc", "block", "wedge")
Golden = dict[str, NDArray[Any]]


@pytest.fixture(scope="session")
def golden(fixtures_dir: Path) -> Callable[[str], Golden]:
    """A file of what the originals answered, by its name."""

    def load(name: str) -> Golden:
        with np.load(fixtures_dir / "detection" / f"{name}.npz") as archive:
            return dict(archive)

    return load


@pytest.fixture(scope="session")
def voc(fixtures_dir: Path) -> VocSet:
    """The pictures that the originals were given."""
    return VocSet(fixtures_dir / "detection" / "VOCdevkit2007", "trainval", CLASSES)


@pytest.fixture(scope="session")
def roidb_of(golden: Callable[[str], Golden], voc: VocSet) -> Callable[[str], tuple[Roidb, Roidb, Config]]:
    """The roidb of a file's settings: all entries, those to train on, and the settings."""

    def make(name: str) -> tuple[Roidb, Roidb, Config]:
        file = golden(f"roidb_{name}")
        config, roidb = config_of(file), truth_roidb(voc)
        proposed = [file[f"proposals/{i}"] for i in range(len(roidb.entries)) if f"proposals/{i}" in file]
        roidb = with_flips(with_proposals(roidb, proposed) if proposed else roidb)
        kept = chosen(roidb, usable(roidb, config))
        return roidb, with_targets(kept, config) if proposed else kept, config

    return make


def config_of(file: Golden) -> Config:
    changes = json.loads(str(file["cfg"]))
    return Config.default("rfcn" if "TRAIN.AGNOSTIC" in changes else "frcnn").with_flat(changes)


def close(have: NDArray[Any], want: NDArray[Any], tolerance: float = 3e-6) -> bool:
    """Whether two arrays are the same but for a part of the largest magnitude."""
    assert have.shape == want.shape
    most = np.abs(want).max(initial=0)
    return bool(np.abs(have.astype(np.float64) - want).max(initial=0) <= tolerance * most)


BOX = "<bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox>"


@pytest.fixture
def make_voc(tmp_path: Path) -> Callable[..., Path]:
    """Writes a VOC folder of one-coloured pictures, 60 wide and 40 high, with boxes (class, xmin, ymin, xmax, ymax)."""

    def make(pictures: dict[str, list[tuple[Any, ...]]], size: str = "<width>60</width>\n<height>40</height>") -> Path:
        root = tmp_path / "voc"
        for place in ("Annotations", "JPEGImages", "ImageSets/Main"):
            (root / place).mkdir(parents=True)
        for name, things in pictures.items():
            objects = "".join(f"<object>\n<name>{c}</name>\n{BOX.format(*box)}\n</object>\n" for c, *box in things)
            text = f"<annotation>\n<size>{size}</size>\n{objects}</annotation>\n"
            (root / "Annotations" / f"{name}.xml").write_text(text)
            cv2.imwrite(str(root / "JPEGImages" / f"{name}.png"), np.full((40, 60, 3), 90, np.uint8))
        (root / "ImageSets" / "Main" / "trainval.txt").write_text("".join(f"{name}\n" for name in pictures))
        return root

    return make


@pytest.fixture
def make_coco(tmp_path: Path) -> Callable[..., tuple[Path, Path]]:
    """Writes a COCO file and its pictures, 60 wide and 40 high; annotations are (image, category, bbox, more)."""

    def make(annotations: list[tuple[int, int, list[float], dict[str, Any]]], count: int = 1) -> tuple[Path, Path]:
        images = tmp_path / "images"
        images.mkdir()
        listed = [{"id": i, "file_name": f"{i}.png", "width": 60, "height": 40} for i in range(1, count + 1)]
        for image in listed:
            cv2.imwrite(str(images / str(image["file_name"])), np.full((40, 60, 3), 90, np.uint8))
        entries = [
            {"id": 100 + n, "image_id": i, "category_id": c, "bbox": box, "area": box[2] * box[3], "iscrowd": 0, **more}
            for n, (i, c, box, more) in enumerate(annotations)
        ]
        content = {
            "info": {"about": "[{"},
            "images": listed,
            "annotations": entries,
            "categories": [{"id": 7, "name": "disc"}, {"id": 3, "name": "traffic light"}],
        }
        file = tmp_path / "instances.json"
        file.write_text(json.dumps(content, indent=1))
        return file, images

    return make
