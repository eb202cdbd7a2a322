"""The report of `recaffe port`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...layers import Shape, times
from ...prototxt.export import MODELS
from ...prototxt.files import HDF5, Format, LayerParams, format_for
from ...prototxt.net import Match


@dataclass
class PortReport:
    """What became of every layer, and how it was checked."""

    source: str
    target: str
    format: str
    bytes: int = 0
    params: dict[str, Shape] = field(default_factory=dict)
    """By LAYER/INDEX."""
    changed: list[str] = field(default_factory=list)
    """What is otherwise than in the source."""
    scaled: list[str] = field(default_factory=list)
    """Layers whose values are others, as the options have it."""
    left_out: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)

    def text(self, verbose: bool = False) -> str:
        """A line for the file and one for each thing to know."""
        lines = [f"{self.source} -> {self.target}: {self.format}, {len(self.params)} params, {self.bytes:,} bytes"]
        if verbose:
            lines += [f"  {place}: {times(shape)}" for place, shape in self.params.items()]
        lines += [f"  scaled: {name}" for name in self.scaled]
        for what in ("changed", "left_out", "notes", "checks"):
            title = what.replace("_", " ").removesuffix("s")
            lines += [f"  {title}: {line}" for line in getattr(self, what)]
        return "\n".join(lines)


def report_on(found: Match, layers: Sequence[LayerParams], target: Path, dialect: str) -> PortReport:
    """The report of what is about to be written."""
    form = format_for(target)
    report = PortReport(found.path, str(target), form.title(dialect))
    for layer in layers:
        report.params |= {f"{layer.name}/{index}": param.shape for index, param in enumerate(layer.params)}
    report.changed = [f"{count} params of {dtype} became float32" for dtype, count in found.converted.items()]
    if reshaped := _reshaped(layers):
        report.changed.append(f"{reshaped} params have the net's shape, not the old 4-axis one")
    report.left_out = [f"layer {name!r}, which the net lacks" for name in found.unused]
    report.left_out += [f"layer {name!r}, which {found.path} lacks" for name in found.missing]
    report.notes = _notes(form, layers)
    return report


def model_report(found: Match, target: Path, folded: int) -> PortReport:
    """The report of a model about to be written, with so many layers folded into others."""
    report = PortReport(found.path, str(target), MODELS[target.suffix])
    report.changed = [f"{count} params of {dtype} became float32" for dtype, count in found.converted.items()]
    if folded:
        report.changed.append(f"{folded} BatchNorm and Scale layers are folded into convolutions")
    report.left_out = [f"layer {name!r}, which the net lacks" for name in found.unused]
    report.left_out += [f"layer {name!r}, which {found.path} lacks: its filler's values" for name in found.missing]
    return report


def _reshaped(layers: Sequence[LayerParams]) -> int:
    return sum(tuple(param.values.shape) != param.shape for layer in layers for param in layer.params)


def _notes(form: Format, layers: Sequence[LayerParams]) -> list[str]:
    """What a reader of the format will meet."""
    if form.by_module:
        return [
            f"layer {layer.name!r} goes by {layer.key!r}"
            for layer in layers
            if layer.params and layer.key != layer.name
        ]
    if form is HDF5 and any("/" in layer.name and layer.params for layer in layers):
        return ["Caffe itself finds no layer with a slash in its name in HDF5; recaffe does"]
    return []
