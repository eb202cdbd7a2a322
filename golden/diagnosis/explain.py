"""The cause of a layer's difference: facts that are known, and suspects that are tried by computing them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy.typing as npt
from torch import Tensor

from ...layers import LayerError
from ...prototxt import PrototxtError
from ...prototxt.net import Net, ParamName
from ..compare import compare_blob
from ..isolate import Isolation, StandIn, VersionNames
from .causes import Case, Rule, Suspect, rules, with_params
from .differences import FieldDifference, ParamDifference
from .findings import Cause
from .pieces import PieceRun, cut

Fact = FieldDifference | ParamDifference


@dataclass(frozen=True)
class Known:
    """What is known beside the piece itself."""

    reference: Net
    """The golden's own net, with the golden's params."""
    golden: Mapping[ParamName, npt.NDArray[Any]]
    """Those params."""
    fields: Sequence[FieldDifference]
    params: Sequence[ParamDifference]
    discrete: Collection[str]
    """Blobs that must be equal."""
    allowed: float


def explain(run: PieceRun, known: Known) -> tuple[str, list[Cause]]:
    """The layer of a piece that is to blame, and the causes that explain it, the most telling first."""
    with run.before():
        return _explain(run, known)


def _explain(run: PieceRun, known: Known) -> tuple[str, list[Cause]]:
    facts, layers = _facts(run, known)
    # What the facts explain is not looked for in other layers than theirs.
    places = [i for i in run.piece.layers if not facts or run.net.steps[i].node.name in layers]
    suspects = [] if run.problem else [cause for i in places for cause in _suspects(run, i, known)]
    named = (cause.layer for cause in [*facts, *suspects] if cause.layer)
    return next(named, run.net.steps[run.piece.layers[0]].node.name), suspects + facts


def _suspects(run: PieceRun, position: int, known: Known) -> Iterator[Cause]:
    """Every rule whose mistake in a layer, made or undone, gives the golden's numbers."""
    before = _distance(run, run.tops, known)
    node, layer = run.net.steps[position].node, run.net.steps[position].layer
    case = Case(run, position, known.golden)
    for rule in rules():
        if rule.types and layer.type not in rule.types:
            continue
        for suspect in _listed(rule, case):
            after = _try(run, {position: suspect.run, **suspect.beside}, known)
            if after is not None and after <= known.allowed:
                yield Cause(rule.name, node.name, suspect.text, before, after, known.allowed)
                break


def _listed(rule: Rule, case: Case) -> Iterator[Suspect]:
    """A rule's suspects, as far as they can be made."""
    with suppress(PrototxtError, LayerError):
        yield from rule.suspects(case)


def _try(run: PieceRun, stand_ins: Mapping[int, StandIn], known: Known) -> float | None:
    try:
        return _distance(run, run.again(stand_ins), known)
    except (PrototxtError, LayerError):
        return None  # what cannot be computed explains nothing


def _distance(run: PieceRun, tops: Mapping[str, Tensor], known: Known) -> float | None:
    """The largest difference to the golden in parts of its magnitude, None for another shape; inf for a decision."""
    worst = 0.0
    for top in run.piece.tops:
        result = compare_blob(top, run.golden[top].numpy(), tops[top], known.allowed, exact=top in known.discrete)
        if result.problem in ("shape", "dtype"):
            return None
        worst = max(worst, result.relative if result.ok or top not in known.discrete else float("inf"))
    return worst


def _facts(run: PieceRun, known: Known) -> tuple[list[Cause], set[str]]:
    """What of the golden's prototxt and params gives the golden's numbers here; and in which layers that differs."""
    before = None if run.problem else _distance(run, run.tops, known)
    twin = _twin(run, known)
    if twin is None:
        return [], set()
    pieces = ((known.reference, twin.piece), (run.net, run.piece))
    own = {net.steps[i].node.name for net, piece in pieces for i in piece.layers}
    fields = [f for f in known.fields if f.layer in own or (not f.layer and _readers(run, f))]
    params = [p for p in known.params if p.layer in own]
    tries: list[tuple[str, list[Fact], float | None]] = [
        ("prototxt", [*fields], _try(twin, _exchanged(twin, run.net), known)),
        ("weights", [*params], _try(run, _exchanged(run, known.reference), known)),
        ("prototxt and weights", [*fields, *params], _try(twin, {}, known)),
    ]
    for what, facts, after in tries:
        if facts and after is not None and after <= known.allowed:
            layers = [name for f in facts for name in ([f.layer] if f.layer else _readers(run, f))]
            text = "; ".join(map(str, facts))
            return [Cause(what, layers[0], text, before, after, known.allowed)], set(layers)
    return [], set()


def _readers(run: PieceRun, difference: Fact) -> list[str]:
    """The layers of a piece that read a config key."""
    if not isinstance(difference, FieldDifference):
        return []
    phase = run.net.phase
    return [
        run.net.steps[i].node.name
        for i in run.piece.layers
        if any(key.format(phase=phase) == difference.field for key in run.net.steps[i].layer.config.values())
    ]


def _twin(run: PieceRun, known: Known) -> PieceRun | None:
    """The piece of the golden's net that gives the same blobs."""
    names = {name for names in VersionNames(known.reference).writes for name in names}
    blobs = {name: blob for name, blob in run.golden.items() if name in names}
    for piece in cut(known.reference, blobs):
        if set(run.piece.tops) <= set(piece.tops):
            isolation = Isolation(known.reference, blobs, run.isolation.fed, run.isolation.rng)
            return PieceRun(isolation, piece, replace(run.state, statistics={}))
    return None


def _exchanged(run: PieceRun, other: Net) -> dict[int, StandIn]:
    """A piece's layers with the params that another net has for them, where these fit."""
    theirs = other.layers
    stand_ins: dict[int, StandIn] = {}
    for i in run.piece.layers:
        layer, twin = run.net.steps[i].layer, theirs.get(run.net.steps[i].node.name)
        if twin is not None and layer.param_shapes and twin.param_shapes == layer.param_shapes:
            # Copies, since running statistics change.
            stand_ins[i] = with_params(layer, [param.detach().clone() for param in twin.params])
    return stand_ins
