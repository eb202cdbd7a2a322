"""Weights in another format, bit for bit the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from ...golden import GoldenError
from ...golden.proof import compare_params, needs_data, run_both
from ...prototxt import PrototxtError
from ...prototxt.export import ParamPosition, find_blobs, params_of, write_weights
from ...prototxt.files import brought_to_disk, dialect_of, read_weights, whole_file
from ...prototxt.net import Allow, refuse_nonfinite
from ..report import PortReport, report_on
from .errors import PortingError
from .porting import Porting
from .size import too_large


def port_weights(porting: Porting) -> PortReport:
    """Find the values, write them aside, check what was written, and give it its name."""
    target, dialect = porting.target, dialect_of(porting.dialect)
    net, weights = porting.build(), read_weights(porting.source)
    found, values = find_blobs(net, weights, allow=porting.allow)
    scaled = porting.scaled(net, params_of(net, values))
    layers = params_of(net, {**values, **scaled})
    report = report_on(found, layers, target, porting.dialect)
    report.scaled = sorted({net.nodes[i].name for i, _ in scaled})
    with whole_file(target, porting.force) as part:
        write_weights(part, net, layers, dialect)
        report.bytes = part.stat().st_size
        try:
            with brought_to_disk(part):
                back = find_blobs(net, read_weights(part), allow=Allow(missing=True))[1]
                nonfinite = compare_params(layers, params_of(net, back))
            report.checks = ["every param read back, bit for bit the same"]
            reason = "" if porting.run_nets else too_large(net)
            report.checks += [reason] if reason else _runs(porting, scaled, part)
        except (GoldenError, PrototxtError) as error:
            reason = str(error).replace(str(part), "the written file")
            raise PortingError(f"{target}: not kept: {reason}") from error
        if nonfinite and not porting.allow.nonfinite:
            raise refuse_nonfinite(weights.path, nonfinite)
    return report


def _runs(porting: Porting, scaled: Mapping[ParamPosition, Tensor], part: Path) -> list[str]:
    """Run a net with the old weights and one with the new, and tell what was run, or why nothing was."""
    want, have = porting.build(), porting.build()
    if reason := needs_data(want):
        return [f"not run: {reason}"]
    want.load(porting.source, allow=Allow(missing=True, unused=True, nonfinite=True))
    want.fill({(want.nodes[i].name, index): value for (i, index), value in scaled.items()})
    have.load(part, allow=Allow(missing=True, nonfinite=True))
    return run_both(want, have)
