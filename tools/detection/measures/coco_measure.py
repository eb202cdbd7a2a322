"""COCO's measure of a whole set, by pycocotools, and COCO's file of results."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....prototxt.files import whole_file
from ...datasets import Floats, Picture, Thing
from ..errors import DetectionError
from .average_precision import Curve

_STATS = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
_HALF, _ALL_AREAS, _MOST = 0, 0, -1
"""Where pycocotools has overlap 0.5, objects of all sizes, and the most detections of a picture."""


@dataclass(frozen=True)
class CocoIds:
    """COCO's numbers of pictures, by name, and of classes, by name."""

    pictures: Mapping[str, int]
    categories: Mapping[str, int]


@dataclass(frozen=True)
class CocoMeasure:
    """The twelve figures, the average precision of each class over overlaps 0.5 to 0.95, and its curve at 0.5."""

    stats: dict[str, float]
    aps: dict[str, float]
    curves: dict[str, Curve]

    def lines(self) -> list[str]:
        """The table; -1 is COCO's figure for what has no objects."""
        lines = [f"AP for {name} = {ap:.4f}   AP50 {self.curves[name].ap:.4f}" for name, ap in self.aps.items()]
        return [*lines, "   ".join(f"{name} {value:.3f}" for name, value in self.stats.items())]


def write_coco_results(
    path: Path, classes: Sequence[str], found: Mapping[str, Floats], ids: CocoIds
) -> list[dict[str, Any]]:
    """Write detections (N×6 rows by picture, the class last) as COCO's evaluation server takes them."""
    results = [
        {
            "image_id": ids.pictures[picture],
            "category_id": ids.categories[classes[int(label)]],
            "bbox": [x1, y1, x2 - x1 + 1, y2 - y1 + 1],
            "score": score,
        }
        for picture, rows in found.items()
        for x1, y1, x2, y2, score, label in rows.astype(np.float64).tolist()
    ]
    with whole_file(path, force=True) as part:
        part.write_text(json.dumps(results), encoding="utf-8")
    return results


def measure_coco(
    pictures: Sequence[Picture], classes: Sequence[str], results: Sequence[Mapping[str, Any]], ids: CocoIds
) -> CocoMeasure:
    """Measure results; an object marked difficult counts as a crowd."""
    coco, evaluator = need_pycocotools()
    with redirect_stdout(io.StringIO()):
        truths = coco()
        truths.dataset = _dataset(pictures, ids)
        truths.createIndex()
        found = coco()
        found.dataset = {**truths.dataset, "annotations": [_annotation(i, r) for i, r in enumerate(results, 1)]}
        found.createIndex()
        evaluation = evaluator(truths, found, "bbox")
        for step in (evaluation.evaluate, evaluation.accumulate, evaluation.summarize):
            step()
    precision = evaluation.eval["precision"]  # (overlaps, recalls, classes, areas, limits)
    places = {number: k for k, number in enumerate(evaluation.params.catIds)}
    columns = {name: precision[:, :, places[ids.categories[name]], _ALL_AREAS, _MOST] for name in classes[1:]}
    objects = {name: sum(t.name == name and not _is_crowd(t) for p in pictures for t in p.things) for name in columns}
    curves = {
        name: Curve(evaluation.params.recThrs, column[_HALF], _mean(column[_HALF]), objects[name])
        for name, column in columns.items()
    }
    stats = dict(zip(_STATS, map(float, evaluation.stats), strict=True))
    return CocoMeasure(stats, {name: _mean(column) for name, column in columns.items()}, curves)


def need_pycocotools() -> tuple[Any, Any]:
    """Its classes of a set and of an evaluation; without the package this is refused."""
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError:
        raise DetectionError("COCO's measure needs pycocotools: pip install 'recaffe[coco]'") from None
    return COCO, COCOeval


def _mean(precision: NDArray[np.float64]) -> float:
    """-1 where there are no objects, as pycocotools has it."""
    return float(precision[precision > -1].mean()) if (precision > -1).any() else -1.0


def _dataset(pictures: Sequence[Picture], ids: CocoIds) -> dict[str, Any]:
    """The truths as pycocotools has them."""
    things = [(picture, thing) for picture in pictures for thing in picture.things if thing.name in ids.categories]
    annotations = [
        {
            **_annotation(number, {"bbox": _sides(thing), "category_id": ids.categories[thing.name]}),
            "image_id": ids.pictures[picture.name],
            "iscrowd": int(_is_crowd(thing)),
        }
        | ({"area": thing.area} if thing.area is not None else {})
        for number, (picture, thing) in enumerate(things, 1)
    ]
    return {
        "images": [{"id": number} for number in ids.pictures.values()],
        "categories": [{"id": number, "name": name} for name, number in ids.categories.items()],
        "annotations": annotations,
    }


def _annotation(number: int, fields: Mapping[str, Any]) -> dict[str, Any]:
    _, _, width, height = fields["bbox"]
    return {**fields, "id": number, "area": width * height, "iscrowd": 0}


def _sides(thing: Thing) -> list[float]:
    """x, y, width, height."""
    x1, y1, x2, y2 = thing.box
    return [x1, y1, x2 - x1 + 1, y2 - y1 + 1]


def _is_crowd(thing: Thing) -> bool:
    return thing.crowd or thing.difficult
