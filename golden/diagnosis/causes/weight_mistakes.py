"""Mistakes in weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import torch
from torch import Tensor

from ....layers import InnerProductLayer
from ....prototxt.export import BoxScaling, repeats
from ..language import Vocabulary
from .rule import Case, Suspect, rule, with_params

_FILTERS = ("Convolution", "Deconvolution", "InnerProduct")


@rule("swapped weights", *_FILTERS)
def swapped(case: Case) -> Iterator[Suspect]:
    """The params of another layer that has the same shapes."""
    for i, step in enumerate(case.net.steps):
        node, layer = step.node, step.layer
        same = layer is not case.layer and layer.param_shapes == case.layer.param_shapes
        if same and case.may_have(layer.params[0]):
            text = f"the golden of {case.node.name!r} is made with what WEIGHTS has for {node.name!r}: swapped"
            own, other = with_params(case.layer, layer.params), with_params(layer, case.layer.params)
            yield Suspect(text, own, {i: other})


@rule("transposed inner product", "InnerProduct")
def transposed(case: Case) -> Iterator[Suspect]:
    """The weight's numbers read in columns for rows."""
    layer = cast(InnerProductLayer, case.layer)
    weight, *bias = (param.detach() for param in layer.params)
    for what, other in (("inputs", weight.reshape(weight.shape[::-1]).t()), ("outputs", weight.t())):
        text = f"the weight is transposed: its numbers lie {what} first, the golden's do not"
        yield Suspect(text, with_params(layer, (other.reshape(weight.shape), *bias)))


@rule("order of an inner product's inputs", "InnerProduct")
def channels_last(case: Case) -> Iterator[Suspect]:
    """Maps flattened with the channels last."""
    layer = cast(InnerProductLayer, case.layer)

    def last(x: Tensor) -> tuple[Tensor, ...]:
        (top,) = layer(x.permute(0, 2, 3, 1).contiguous())
        return (top,)

    def first(x: Tensor) -> tuple[Tensor, ...]:
        n, c, h, w = x.shape
        (top,) = layer(x.reshape(n, h, w, c).permute(0, 3, 1, 2).contiguous())
        return (top,)

    if case.bottoms[0].dim() == 4 and layer.axis == 1:
        text = "the weight's inputs are in the order of {}; the golden's in that of {}"
        orders = "rows, columns, channels", "channels, rows, columns"
        yield Suspect(text.format(*orders), last)
        yield Suspect(text.format(*orders[::-1]), first)


@rule("turned kernels", "Convolution", "Deconvolution")
def turned(case: Case) -> Iterator[Suspect]:
    """Kernels turned by 180 degrees, as convolution in the sense of mathematics has them."""
    weight, *bias = (param.detach() for param in case.layer.params)
    axes = [axis for axis in range(2, weight.dim()) if weight.shape[axis] > 1]
    if axes:
        yield Suspect(
            "the golden's kernels are turned by 180 degrees", with_params(case.layer, (weight.flip(axes), *bias))
        )


@rule("unnormalised box targets", "Convolution", "InnerProduct")
def unnormalised(case: Case) -> Iterator[Suspect]:
    """A box layer with the means and deviations of its targets folded in, or taken out again."""
    net, layer = case.net, case.layer
    if len(layer.params) != 2 or not _gives_boxes(case):
        return
    means, stds = (tuple(net.config[f"TRAIN.BBOX_NORMALIZE_{what}"]) for what in ("MEANS", "STDS"))
    count = repeats(net, case.node, len(layer.params[0]))
    words = {
        True: "the golden's has means and deviations of its targets folded in, WEIGHTS' has not",
        False: "WEIGHTS' has means and deviations of its targets folded in, the golden's has not",
    }
    weight, bias = (param.detach() for param in layer.params)
    for undo, text in words.items():
        params = BoxScaling(means, stds, undo).apply(case.node, weight, bias, count)
        way_out = f"recaffe port bbox_{'un' if undo else ''}normalize=True"
        yield Suspect(f"{text} ({way_out})", with_params(layer, params))


def _gives_boxes(case: Case) -> bool:
    last = Vocabulary(case.net).kind(case.node.tops[0]).channel(len(case.layer.params[0]) - 1)
    return last.startswith("class") and ", dh" in last


@rule("stale bias", *_FILTERS)
def stale_bias(case: Case) -> Iterator[Suspect]:
    """Another bias: what has to be added to each output to come to the golden."""
    layer = case.layer
    if len(layer.params) != 2:
        return
    weight, bias = (param.detach() for param in layer.params)
    other = case.golden_param(1)
    if other is None and (shift := _shift(case, len(bias))) is not None:
        other = bias + shift
    if other is None:
        return
    shift = other - bias
    text = f"the golden's is another by up to {float(shift.abs().max()):.3g} (output {int(shift.abs().argmax())})"
    if other.abs().max() <= 1e-5 * bias.abs().max():
        text = "the golden has none (all zeros)"
    yield Suspect(f"the bias is stale: {text}", with_params(layer, (weight, other)))


def _shift(case: Case, outputs: int) -> Tensor | None:
    """The median difference to the golden of each output, where both are above what a ReLU cuts."""
    if not case.only_top:
        return None
    have, want = case.run.tops[case.only_top], case.run.golden[case.only_top]
    if have.shape != want.shape or have.dim() < 2 or have.shape[1] != outputs:
        return None
    columns = [x.transpose(0, 1).reshape(outputs, -1) for x in (have, want)]  # (N, C, ...) -> (C, N * ...)
    passed = (columns[0] > 0) & (columns[1] > 0) if not case.is_last else torch.ones_like(columns[0], dtype=torch.bool)
    differences = torch.where(passed, columns[1] - columns[0], torch.nan)
    return differences.nanmedian(dim=1).values.nan_to_num(0.0)
