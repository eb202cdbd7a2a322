"""What `recaffe test` can do with a net over a data set: detect or propose, and measure that."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ...datasets import Floats, Picture, write_proposals
from ..detector import Detector
from ..measures import (
    Recall,
    measure_coco,
    measure_recall,
    measure_voc,
    plot_precision,
    plot_recall,
    write_coco_results,
)
from ..net_input import NetInput
from ..proposer import Proposer
from ..regions import Boxes
from ..selection import stacked
from .named_set import NamedSet, coco_ids, set_name


@dataclass(frozen=True)
class TaskReport:
    """A report as plain data and as lines of text."""

    report: dict[str, Any]
    lines: list[str]


class Task(Protocol):
    """A net's part, picture by picture, and what is made of all its answers."""

    @property
    def settings(self) -> dict[str, Any]:
        """What decides the answers, besides the net and its config."""

    def prepare(self, picture: Picture) -> NetInput:
        """What the net is fed for a picture."""

    def answer(self, inputs: Sequence[NetInput]) -> list[Floats]:
        """Rows for each of some pictures."""

    def measure(self, found: Mapping[str, Floats], out: Path, plot: bool) -> TaskReport:
        """Write all pictures' rows in the usual formats and measure them."""


@dataclass(frozen=True)
class Detecting:
    """Detections (N×6: x1, y1, x2, y2, score, class), and VOC's or COCO's measure of them."""

    detector: Detector
    pictures: NamedSet
    metric: str
    overlap: float = 0.5
    proposals: Mapping[str, Boxes] | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """The rule of selection, the classes and a digest of the proposals."""
        digest = hashlib.sha256()
        for name, boxes in (self.proposals or {}).items():
            digest.update(f"{name} {boxes.dtype} {boxes.shape}".encode() + boxes.tobytes())
        chosen = {**asdict(self.detector.selection), "classes": self.detector.classes}
        return {**chosen, "proposals": digest.hexdigest() if self.proposals else None}

    def prepare(self, picture: Picture) -> NetInput:
        """The picture and its proposals."""
        return self.detector.input(picture.path, self.proposals[picture.name] if self.proposals else None)

    def answer(self, inputs: Sequence[NetInput]) -> list[Floats]:
        """Detections by class, those of a class by score."""
        return [stacked(self.detector.select(*answer).rows) for answer in self.detector.answers(inputs)]

    def measure(self, found: Mapping[str, Floats], out: Path, plot: bool) -> TaskReport:
        """VOC's or COCO's files and measure; the classes' curves in precision.png."""
        if self.metric == "coco":
            return self._coco(found, out, plot)
        listed, use_07 = self.pictures.pictures(), self.metric == "07"
        classes, name = self.detector.classes, set_name(self.pictures)
        measure = measure_voc(out, name, classes, listed, found, use_07, self.overlap)
        if plot:
            plot_precision(out / "precision.png", measure.curves, f"mean AP {measure.mean_ap:.4f}")
        each = {
            name: {"ap": _plain(curve.ap), "objects": curve.objects, "detections": len(curve.recall)}
            for name, curve in measure.curves.items()
        }
        return TaskReport({"mean_ap": _plain(measure.mean_ap), "classes": each}, measure.lines())

    def _coco(self, found: Mapping[str, Floats], out: Path, plot: bool) -> TaskReport:
        ids, listed, classes = coco_ids(self.pictures), self.pictures.pictures(), self.detector.classes
        path = out / f"detections_{set_name(self.pictures)}_results.json"
        results = write_coco_results(path, classes, found, ids)
        measure = measure_coco(listed, classes, results, ids)
        if plot:
            plot_precision(out / "precision.png", measure.curves, f"AP50 {measure.stats['AP50']:.4f}")
        each = {name: {"ap": ap, "ap50": measure.curves[name].ap} for name, ap in measure.aps.items()}
        return TaskReport({"stats": measure.stats, "classes": each}, measure.lines())


@dataclass(frozen=True)
class Proposing:
    """Proposals (N×5: x1, y1, x2, y2, score), and their recall."""

    proposer: Proposer
    pictures: NamedSet

    @property
    def settings(self) -> dict[str, Any]:
        """Nothing but that they are proposals."""
        return {"answers": "proposals"}

    def prepare(self, picture: Picture) -> NetInput:
        """The picture."""
        return self.proposer.input(picture.path)

    def answer(self, inputs: Sequence[NetInput]) -> list[Floats]:
        """Proposals by score."""
        pairs = [self.proposer.answer(one) for one in inputs]
        return [np.hstack((boxes, scores[:, None])) for boxes, scores in pairs]

    def measure(self, found: Mapping[str, Floats], out: Path, plot: bool) -> TaskReport:
        """proposals.npz, as Fast R-CNN nets take it, and recall; its curves in recall.png."""
        write_proposals(out / "proposals.npz", {name: (rows[:, :4], rows[:, 4]) for name, rows in found.items()}, True)
        measure = measure_recall(self.pictures, found)
        if plot:
            by_limit = {f"best {limit}": recall for limit, recall in measure.by_limit.items()}
            plot_recall(out / "recall.png", by_limit, "recall of proposals")
        areas = {name: _recall(recall) for name, recall in measure.by_area.items()}
        limits = {str(limit): _recall(recall) for limit, recall in measure.by_limit.items()}
        return TaskReport({"areas": areas, "limits": limits}, measure.lines())


def _recall(recall: Recall) -> dict[str, Any]:
    """JSON knows no NaN."""
    return {"mean_recall": _plain(recall.ar), "recalls": [_plain(value) for value in recall.recalls.tolist()]}


def _plain(value: float) -> float | None:
    """None for NaN, which JSON lacks."""
    return value if value == value else None
