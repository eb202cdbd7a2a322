"""Weights in another format, bit for bit the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from ...golden import GoldenError
from ...golden.proof import compare_params, needs_data, run_both
from ...prototxt import PrototxtError
from ...prototxt.export import ParamPosition, find_blobs, outgoing, write_weights
from ...prototxt.files import brought_to_disk, dialect_of, read_weights, whole_file
from ...prototxt.net import refuse_nonfinite
from ..report import PortReport, report_on
from .errors import PortingError
from .porting import Porting
from .size import too_large


def port_weights(porting: Porting) -> PortReport:
    """Find the values, write them aside, check what was written, and give it its name."""
    target, dialect = porting.target, dialect_of(porting.dialect)
    net, weights = porting.build(), read_weights(porting.source)
    allowed = {name: porting.allow.get(name, False) for name in ("allow_missing", "allow_unused")}
    found, values = find_blobs(net, weights, **allowed)
    scaled = porting.scaled(net, outgoing(net, values))
    layers = outgoing(net, {**values, **scaled})
    report = report_on(found, layers, target, porting.dialect)
    report.scaled = sorted({net.nodes[i].name for i, _ in scaled})
    with whole_file(target, porting.force) as part:
        write_weights(part, net, layers, dialect)
        report.bytes = part.stat().st_size
        try:
            with brought_to_disk(part):
                back = find_blobs(net, read_weights(part), allow_missing=True)[1]
                nonfinite = compare_params(layers, outgoing(net, back))
            report.checks = ["every param read back, bit for bit the same"]
            reason = "" if porting.run_nets else too_large(net)
            report.checks += [reason] if reason else _runs(porting, scaled, part)
        except (GoldenError, PrototxtError) as error:
            reason = str(error).replace(str(part), "the written file")
            raise PortingError(f"{target}: not kept: {reason}") from error
        if nonfinite and not porting.allow.get("allow_nonfinite"):
            raise refuse_nonfinite(weights.path, nonfinite)
    return report


def _runs(porting: Porting, scaled: Mapping[ParamPosition, Tensor], part: Path) -> list[str]:
    """Run a net with the old weights and one with the new, and tell what was run, or why nothing was."""
    want, have = porting.build(), porting.build()
    if reason := needs_data(want):
        return [f"not run: {reason}"]
    want.load(porting.source, allow_missing=True, allow_unused=True, allow_nonfinite=True)
    want.fill({(want.nodes[i].name, index): value for (i, index), value in scaled.items()})
    have.load(part, allow_missing=True, allow_nonfinite=True)
    return run_both(want, have)
