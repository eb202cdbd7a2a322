"""One run of a certificate: its blobs and its detections held against the golden's, kept in a file once they are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ....golden import BlobResult, Subject
from ....golden.diagnosis import (
    BlobFinding,
    ClassMatch,
    DetectionMatch,
    Options,
    Single,
    as_json,
    compare_fixture,
    match_detections,
)
from ....golden.fixture import Fixture
from ....golden.ties import level
from ....layers.boxes import clip, transform_inv
from ....prototxt.files import whole_file
from ....prototxt.text import Config
from ...detection import Selection
from ..errors import ReportError

Array = npt.NDArray[Any]
_ANSWERS = ("cls_prob", "bbox_pred", "rois")


@dataclass(frozen=True)
class CertificateRun:
    """What is certified of one fixture; plain data, so that a file can keep it."""

    path: str
    sha256: str
    ok: bool
    """Whether every blob is the golden's and both sides found the same objects."""
    verdict: str
    blobs: int = 0
    """How many were compared, in use and alone."""
    different: int = 0
    worst: str = ""
    """The blob that differs most in parts of what is allowed."""
    excess: float | None = 0.0
    """By how many times what is allowed; None without bound."""
    detections: DetectionMatch | None = None
    """None where the net is no detector."""
    classes: int = 0
    """How many the net tells apart, the background among them."""
    margin: float | None = None
    """How near any of the golden's scores comes to the threshold."""
    meta: dict[str, Any] = field(default_factory=dict)
    """What the golden's machine told of itself."""
    tied: bool = False
    """Whether both sides are the same but for the order of equal scores."""


@dataclass
class _Answers:
    """Watches a comparison and keeps the blobs that detections are made of."""

    golden: dict[str, Array] = field(default_factory=dict)
    ours: dict[str, Array] = field(default_factory=dict)

    def __call__(self, mode: str, finding: BlobFinding, want: Array | None, have: Array | None) -> None:
        name = finding.result.key.removeprefix("top/")
        if mode == "chain" and name in _ANSWERS and want is not None and have is not None:
            self.golden[name], self.ours[name] = want, have


def certify_run(
    subject: Subject, path: Path, sha256: str, options: Options, thresh: float | None, most: int | None
) -> CertificateRun:
    """Compare one fixture blob by blob, then the detections of both sides."""
    fixture, answers = Fixture.load(path), _Answers()
    comparison = compare_fixture(subject, fixture, options, answers)
    results = [finding.result for finding in (*comparison.chain, *comparison.isolated)] + list(comparison.trace)
    worst = max(results, key=lambda result: (not result.ok, _excess(result)), default=None)
    config = subject.config(fixture)
    found, margin, tied = _detections(fixture, answers, config, Selection.of(config, thresh, most))
    classes = answers.golden["cls_prob"].shape[1] if found is not None else 0
    verdict = comparison.verdict.text
    if comparison.ok and found is not None and not found.ok:
        verdict = f"every blob is the golden's, but {len(found.singles)} detections have no partner"
    elif comparison.ok and tied:
        verdict += f"{'; and' if comparison.ties else ', but for ties:'} NMS of detections took equal scores otherwise"
    return CertificateRun(
        path=str(path),
        sha256=sha256,
        ok=comparison.ok and (found is None or found.ok),
        verdict=verdict,
        blobs=len(results),
        different=sum(not result.ok for result in results),
        worst=worst.key if worst is not None else "",
        excess=as_json(_excess(worst)) if worst is not None else 0.0,
        detections=found,
        classes=classes,
        margin=margin,
        meta={key: fixture.meta[key] for key in ("versions", "sha256") if key in fixture.meta},
        tied=comparison.ok and (tied or bool(comparison.ties)),
    )


def _excess(result: BlobResult) -> float:
    """A difference in parts of what is allowed; of what must be equal, any is without bound."""
    if result.problem in ("missing", "shape", "dtype"):
        return float("inf")
    return result.relative / result.allowed if result.allowed else float("inf" if result.relative else 0)


def _detections(
    fixture: Fixture, answers: _Answers, config: Config, selection: Selection
) -> tuple[DetectionMatch | None, float | None, bool]:
    """Both sides' detections matched, how near a score of the golden comes to the threshold; whether by ties alone."""
    fed = {name: fixture.bottoms[name] for name in _ANSWERS if name in fixture.bottoms}
    golden, ours = ({**fed, **side} for side in (answers.golden, answers.ours))
    needed = _ANSWERS if config["TEST.BBOX_REG"] else ("cls_prob", "rois")
    if any(name not in golden or golden[name].shape[:2] != ours[name].shape[:2] for name in needed):
        return None, None, False
    decoded = [_decoded(side, fixture, config) for side in (golden, ours)]
    want, have = (selection.pick(*side) for side in decoded)
    found = match_detections(want, have, selection.thresh)
    margin = float(np.abs(golden["cls_prob"][:, 1:].astype(np.float64) - selection.thresh).min(initial=np.inf))
    tied = None if found.ok else match_ties(decoded, selection)
    return tied or found, as_json(margin), tied is not None


def match_ties(sides: Sequence[tuple[Tensor, Tensor]], selection: Selection) -> DetectionMatch | None:
    """The match where scores that are equal on one side are so on both; None where it still leaves some alone."""
    (want, golden_boxes), (have, boxes) = sides
    both = torch.stack([torch.stack((level(w, h), level(h, w))) for w, h in zip(want.T, have.T, strict=True)])
    golden, ours = both.permute(1, 2, 0)  # (C, 2, R) -> (2, R, C)
    found = match_detections(selection.pick(golden, golden_boxes), selection.pick(ours, boxes), selection.thresh)
    return found if found.ok else None


def _decoded(blobs: Mapping[str, Array], fixture: Fixture, config: Config) -> tuple[Tensor, Tensor]:
    """Scores R×C and boxes R×4C in pixels of the picture, which is as large as its blob divided by its scale."""
    scores, rois = (torch.from_numpy(blobs[name]).flatten(1) for name in ("cls_prob", "rois"))  # R×C×1×1 -> R×C
    if "im_info" in fixture.bottoms:
        height, width, scale = map(float, fixture.bottoms["im_info"].ravel()[:3])
    else:
        height, width, scale = (*map(float, fixture.bottoms["data"].shape[2:]), 1.0)
    boxes = rois[:, 1:5] / scale
    if not config["TEST.BBOX_REG"]:
        return scores, boxes.repeat(1, scores.shape[1])
    deltas = torch.from_numpy(blobs["bbox_pred"]).flatten(1)
    return scores, clip(transform_inv(boxes, deltas), round(height / scale), round(width / scale))


def key_of(*parts: object) -> str:
    """A name for a result that depends on these parts alone."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def save_run(run: CertificateRun, path: Path) -> None:
    """Keep a run for the next time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path, force=True) as part:
        part.write_text(json.dumps(as_json(asdict(run)), sort_keys=True), encoding="utf-8")


def load_run(file: Path, path: Path) -> CertificateRun | None:
    """A run that was kept, under the path that it has now; None if there is none."""
    if not file.exists():
        return None
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        if found := told["detections"]:
            classes = tuple(ClassMatch(**match) for match in found["classes"])
            singles = tuple(Single(**{**single, "box": tuple(single["box"])}) for single in found["singles"])
            told["detections"] = DetectionMatch(classes, singles)
        return replace(CertificateRun(**told), path=str(path))
    except (ValueError, TypeError, KeyError):
        raise ReportError(f"{file}: is no run that was kept, or a damaged one: delete it") from None
