"""Curves as pictures: precision against recall, recall against overlap."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ....prototxt.files import whole_file
from ..errors import DetectionError
from .average_precision import Curve
from .recall import Recall

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NAMED = 10
"""More curves than that share one colour map and no legend can name them: those with the most AP are named."""


def plot_precision(path: Path, curves: Mapping[str, Curve], title: str) -> None:
    """Precision against recall, a curve for each class, the best first."""
    figure, axes = _canvas("recall", "precision", title)
    order = sorted(curves, key=lambda name: -curves[name].ap)
    for k, name in enumerate(order):
        curve = curves[name]
        named = k < _NAMED
        colour, text = (f"C{k}", f"{name}  {curve.ap:.3f}") if named else ("0.75", None)
        axes.plot(curve.recall, curve.precision, label=text, color=colour, linewidth=1.8 if named else 0.8, zorder=-k)
    _save(path, figure, axes)


def plot_recall(path: Path, recalls: Mapping[str, Recall], title: str) -> None:
    """Recall against overlap, a curve for each kind of object or number of proposals."""
    figure, axes = _canvas("overlap", "recall", title)
    for name, recall in recalls.items():
        axes.plot(recall.thresholds, recall.recalls, label=f"{name}  {recall.ar:.3f}", linewidth=1.8, marker=".")
    axes.set_xlim(0.5, 1.0)
    _save(path, figure, axes)


def need_matplotlib() -> type[Figure]:
    """The class of its pictures; without the package this is refused."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        told = "curves need matplotlib: pip install 'recaffe[plot]', or leave plot=True out"
        raise DetectionError(told, choices=("plot",)) from None
    return Figure


def _canvas(x: str, y: str, title: str) -> tuple[Figure, Axes]:
    """An empty plot, drawn in memory: nothing asks for a screen."""
    figure = need_matplotlib()(figsize=(7, 5), dpi=130, layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlabel=x, ylabel=y, title=title, xlim=(0, 1), ylim=(0, 1.02))
    axes.grid(color="0.9")
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _save(path: Path, figure: Figure, axes: Axes) -> None:
    if axes.get_lines():
        axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    with whole_file(path, force=True) as part:
        figure.savefig(part, metadata={"Software": None})
