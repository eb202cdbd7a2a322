"""What a comparison finds: plain data for whoever prints, draws or certifies it."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any

from ..compare import BlobResult
from ..ties import Tie
from .differences import FieldDifference, Measures, ParamDifference, RoiMatch
from .margins import Fate
from .tipping import Tipped


@dataclass(frozen=True)
class BlobFinding:
    """One blob, diff or param diff beside the golden's."""

    result: BlobResult
    layer: str
    """Who made it; of a diff, who handed it down."""
    measures: Measures | None = None
    """None where shapes differ or a side is missing."""
    first: str = ""
    """The first value that differs, in the domain's words."""
    worst: str = ""
    """The value that differs most."""
    rois: RoiMatch | None = None
    """Of a blob of RoIs that differs: the two sides matched as sets."""

    def __str__(self) -> str:
        place = f"first at {list(self.result.first or ())}"
        text = str(self.result).replace(place, f"{place} ({self.first})") if self.first else str(self.result)
        return f"{text}; {self.rois}" if self.rois is not None else text


@dataclass(frozen=True)
class Cause:
    """A mistake that explains a layer's difference; `str()` of it is one line."""

    rule: str
    layer: str
    text: str
    before: float | None
    """The difference in parts of the golden's largest magnitude; None where shapes differ."""
    after: float | None
    """What remains of it under the mistake; None where it was not computed."""
    allowed: float

    def __str__(self) -> str:
        if self.after is None:
            return self.text
        before = "another shape" if self.before is None else f"a difference of {self.before:.2g}"
        return f"{self.text}: {before} becomes {self.after:.2g} (allowed {self.allowed:g})"


@dataclass(frozen=True)
class Blame:
    """A layer that does wrong by itself: fed the golden's own blobs, it gives others."""

    layer: str
    type: str
    where: str
    """`file:line`."""
    backward: bool
    blobs: tuple[str, ...]
    """The keys that differ."""
    beside: tuple[str, ...]
    """Layers that work on the same blob, with no golden value between."""
    detail: str
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """The answer in one line, and what it is about.

    kind: same, ties (the same but for the order of equal scores), forward (a layer), backward (a layer's diffs), params
    (weights, no layer to blame), names (of blobs or layers), accumulated (rounding, layer upon layer), decision (a
    choice near a tie), trace (a solver's step) or stopped (the net cannot run).
    """

    kind: str
    text: str
    layer: str = ""
    blob: str = ""


@dataclass(frozen=True)
class Comparison:
    """One fixture held against a net and its weights."""

    path: str
    verdict: Verdict = Verdict("same", "")
    blames: tuple[Blame, ...] = ()
    fields: tuple[FieldDifference, ...] = ()
    params: tuple[ParamDifference, ...] = ()
    names: tuple[str, ...] = ()
    """Names that only one side has."""
    chain: tuple[BlobFinding, ...] = ()
    """Every blob of the net run as in use, errors adding up."""
    isolated: tuple[BlobFinding, ...] = ()
    """Every blob made from golden blobs."""
    trace: tuple[BlobResult, ...] = ()
    """Losses, rates, params and histories of a solver's steps."""
    fates: tuple[Fate, ...] = ()
    """Why RoIs were lost or added in the chain."""
    ties: tuple[Tie, ...] = ()
    """Choices among equals that the golden made otherwise; all that lies behind is compared along the golden's."""
    tipped: Tipped | None = None
    """The one decision of the training by which the solver's steps leave the golden's, if it is but one."""
    notes: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether nothing differs that can be computed, but for the order of equal scores."""
        return self.verdict.kind in ("same", "ties")

    @property
    def outcome(self) -> str:
        """The answer in a word: same, same but for ties, or different."""
        return "same but for ties" if self.verdict.kind == "ties" else "same" if self.ok else "different"


def as_json(value: Any) -> Any:
    """Dataclasses as plain data; JSON knows no infinity and no NaN, which become None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: as_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
