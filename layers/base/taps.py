"""Convolution and its transpose tap by tap, for any number of spatial axes and any dilation: what torch lacks.

A tap is one place of the kernel. `x` is (N, C, *size); weights are as torch's functions take them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import torch
from torch import Tensor

_BEFORE = (slice(None),) * 3
"""The axes before the spatial ones, where channels are split into groups."""


def convolve(
    x: Tensor, weight: Tensor, places: Sequence[int], stride: Sequence[int], dilation: Sequence[int], groups: int
) -> Tensor:
    """Slide filters (num_output, C / groups, *kernel) over a padded x, (N, C, *room) -> (N, num_output, *places)."""
    filters = weight.unflatten(0, (groups, -1))  # (groups, num_output / groups, C / groups, *kernel)
    columns = x.unflatten(1, (groups, -1))  # (N, groups, C / groups, *room)
    top = sum(
        torch.einsum("goi,ngi...->ngo...", filters[_BEFORE + tap], columns[_BEFORE + window])
        for tap, window in _windows(weight.shape[2:], places, stride, dilation)
    )
    assert isinstance(top, Tensor)
    return top.flatten(1, 2)


def spread(
    x: Tensor, weight: Tensor, room: Sequence[int], stride: Sequence[int], dilation: Sequence[int], groups: int
) -> Tensor:
    """Spread each number by filters (C, num_output / groups, *kernel) over (N, num_output, *room), pad included."""
    filters = weight.unflatten(0, (groups, -1))  # (groups, C / groups, num_output / groups, *kernel)
    columns = x.unflatten(1, (groups, -1))  # (N, groups, C / groups, *size)
    top = x.new_zeros(len(x), groups, filters.shape[2], *room)
    for tap, window in _windows(weight.shape[2:], x.shape[2:], stride, dilation):
        top[_BEFORE + window] += torch.einsum("gio,ngi...->ngo...", filters[_BEFORE + tap], columns)
    return top.flatten(1, 2)


def _windows(
    kernel: Sequence[int], places: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
    """Each tap, and the cells that it meets at all places."""
    for tap in product(*map(range, kernel)):
        axes = zip(tap, places, stride, dilation, strict=True)
        yield tap, tuple(slice(j * d, j * d + s * (count - 1) + 1, s) for j, count, s, d in axes)
