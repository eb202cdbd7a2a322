"""How well a net's proposals cover the objects of a whole set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...datasets import Floats, Picture, PictureSet, picture_size
from .recall import AREAS, Objects, Recall, evaluate_recall

LIMITS = (10, 100, 300, 1000, 2000)
"""Numbers of proposals for each picture at which recall is told, as far as there are so many."""


@dataclass(frozen=True)
class RecallMeasure:
    """Recall of all proposals by the objects' area, and of all objects by the number of proposals."""

    by_area: dict[str, Recall]
    by_limit: dict[int, Recall]

    def lines(self) -> list[str]:
        """The table; the mean is over overlaps 0.5 to 0.95."""
        areas = [f"area {name:8} {_line(recall)}" for name, recall in self.by_area.items()]
        return areas + [f"best {limit:<8} {_line(recall)}" for limit, recall in self.by_limit.items()]


def measure_recall(pictures: PictureSet, proposals: Mapping[str, Floats]) -> RecallMeasure:
    """Measure proposals, rows by picture whose first four columns are boxes, the best first."""
    listed = pictures.pictures()
    boxes = [proposals[picture.name][:, :4] for picture in listed]
    objects = objects_of(pictures, listed)
    most = max(map(len, boxes), default=0)
    limits = [limit for limit in LIMITS if limit < most] + [most]
    return RecallMeasure(
        {name: evaluate_recall(boxes, objects, area=name) for name in AREAS},
        {limit: evaluate_recall(boxes, objects, limit=limit) for limit in limits},
    )


def objects_of(pictures: PictureSet, listed: Sequence[Picture]) -> list[Objects]:
    """The objects that are trained on, without crowds, picture by picture."""
    found = []
    for picture in listed:
        truths = pictures.truths(picture, picture.size or picture_size(picture.path))
        found.append(Objects(truths.boxes[~truths.crowd], truths.areas[~truths.crowd]))
    return found


def _line(recall: Recall) -> str:
    if recall.ar != recall.ar:
        return "no objects"
    return f"mean recall {recall.ar:.4f}, at 0.5 {recall.recalls[0]:.4f}, at 0.7 {recall.recalls[4]:.4f}"
