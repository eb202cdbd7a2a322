"""Mistakes in normalisation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from ....layers import BatchNormLayer, LRNLayer
from .rule import Case, Suspect, altered, rule, with_params

_EPS = (1e-5, 1e-3, 1e-4, 2e-5, 1.001e-5, 1e-6, 1e-8, 1e-12, 0.0)
"""What frameworks and papers add to a variance."""


@rule("LRN region", "LRN")
def region(case: Case) -> Iterator[Suspect]:
    """Neighbours of the other kind."""
    layer = cast(LRNLayer, case.layer)
    other = "ACROSS_CHANNELS" if layer.norm_region == "WITHIN_CHANNEL" else "WITHIN_CHANNEL"
    text = f"the golden's norm_region is {other}, NET's {layer.norm_region}"
    yield Suspect(text, altered(layer, norm_region=other))


@rule("LRN alpha", "LRN")
def alpha(case: Case) -> Iterator[Suspect]:
    """Alpha times the sum or the mean of the squares."""
    layer = cast(LRNLayer, case.layer)
    size = layer.local_size ** (2 if layer.norm_region == "WITHIN_CHANNEL" else 1)
    yield Suspect("the golden takes alpha times the sum of squares, Caffe their mean", _scaled(layer, size))
    yield Suspect("the golden divides alpha by the number of neighbours once more", _scaled(layer, 1 / size))


def _scaled(layer: LRNLayer, factor: float) -> LRNLayer:
    return altered(layer, alpha=layer.alpha * factor)


@rule("BatchNorm eps", "BatchNorm")
def eps(case: Case) -> Iterator[Suspect]:
    """Another number added to the variance."""
    layer = cast(BatchNormLayer, case.layer)
    for other in _EPS:
        if other != layer.eps:
            yield Suspect(f"the golden's eps is {other:g}, NET's {layer.eps:g}", altered(layer, eps=other))


@rule("BatchNorm scale factor", "BatchNorm")
def scale_factor(case: Case) -> Iterator[Suspect]:
    """The first two params divided by the third, or taken as they are; or another third param."""
    layer = cast(BatchNormLayer, case.layer)
    mean, variance, weight = (param.detach() for param in layer.params)
    golden = case.golden_param(2)
    if golden is not None:
        text = f"the golden divides mean and variance by {float(golden):.6g} (param 2), NET by {float(weight):.6g}"
        yield Suspect(text, with_params(layer, (mean, variance, golden)))
    if layer.use_global_stats and float(weight) not in (0, 1):
        text = f"the golden takes mean and variance as they are, Caffe divides them by param 2 ({float(weight):.6g})"
        yield Suspect(text, with_params(layer, (mean, variance, weight.new_ones(1))))


@rule("BatchNorm statistics", "BatchNorm")
def statistics(case: Case) -> Iterator[Suspect]:
    """The batch's statistics or the saved ones."""
    layer = cast(BatchNormLayer, case.layer)
    kinds = ("the batch's own", "the saved")
    text = f"the golden takes {kinds[not layer.use_global_stats]} statistics, NET {kinds[layer.use_global_stats]}"
    # Its own params, as running sums change while it runs.
    own = with_params(layer, [param.clone() for param in layer.params])
    yield Suspect(text, altered(own, use_global_stats=not layer.use_global_stats))
