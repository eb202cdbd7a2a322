"""Layers that move numbers and change none."""

from __future__ import annotations

import math

from ..draw import Dice, Drawn, Feed, Shape, draws


@draws("BatchReindex")
def batch_reindex(shape: Shape, of: Dice) -> Drawn:
    return Drawn(others=[Feed((of.upto(1, 6),), "whole", shape[0])])


@draws("Concat")
def concat(shape: Shape, of: Dice) -> Drawn | None:
    axis = of.axis(len(shape))
    older = {"concat_dim": axis} if axis >= 0 and of.chance(0.3) else {"axis": axis}
    others = []
    if of.chance(0.4):
        longer = list(shape)
        longer[axis] = of.upto(1, 4)
        others = [Feed(tuple(longer))]
    return Drawn({"concat_param": older}, others, again=of.upto(0, 2), in_place=False)


@draws("Crop")
def crop(shape: Shape, of: Dice) -> Drawn:
    axis = of.axis(len(shape))
    first = axis % len(shape)
    cut = [of.upto(1, length) for length in shape[first:]]
    room = [length - short for length, short in zip(shape[first:], cut, strict=True)]
    form = of.one(("none", "one", "each"))
    each = [of.upto(0, most) for most in room]
    offset = {"none": [], "one": [of.upto(0, min(room))], "each": each}[form]
    before = [of.upto(1, 4) for _ in shape[:first]]
    return Drawn({"crop_param": {"axis": axis, "offset": offset}}, [Feed((*before, *cut))], in_place=False)


@draws("Embed")
def embed(shape: Shape, of: Dice) -> None:
    return None  # takes words from an input, see `plant`


@draws("Filter")
def filtered(shape: Shape, of: Dice) -> Drawn:
    again = of.upto(0, 1)
    selector = of.one(((shape[0],), (shape[0], 1, 1)))
    # How many items it keeps is known when it runs: no layer behind it could be drawn to fit.
    fields = {"loss_weight": [of.one((1, 2, 0.5)) for _ in range(1 + again)]}
    return Drawn(fields, [Feed(selector, "flags_one")], again, tops=1 + again, in_place=False, read_on=0)


@draws("Flatten")
def flatten(shape: Shape, of: Dice) -> Drawn:
    first = of.upto(0, len(shape) - 1)
    last = of.upto(max(first - 1, 0), len(shape) - 1)
    sign = len(shape) if of.chance(0.3) else 0
    return Drawn({"flatten_param": {"axis": first, "end_axis": last - sign}}, in_place=False)


@draws("Reshape")
def reshape(shape: Shape, of: Dice) -> Drawn:
    start = of.upto(0, len(shape))
    count = of.upto(0, len(shape) - start)
    total = math.prod(shape[start : start + count])
    dims = []
    for i in range(start, start + count):
        if total % shape[i] == 0 and of.chance(0.5):
            dims.append(0)
            total //= shape[i]
        elif divisors := [n for n in range(1, total + 1) if total % n == 0]:
            dims.append(of.one(divisors))
            total //= dims[-1]
    dims.append(of.one((total, -1)))
    axis = start if of.chance(0.6) else start - len(shape) - 1
    to_end = start + count == len(shape) and of.chance(0.5)
    fields = {"shape": {"dim": dims}, "axis": axis, "num_axes": -1 if to_end else count}
    return Drawn({"reshape_param": fields}, in_place=False)


@draws("Silence")
def silence(shape: Shape, of: Dice) -> Drawn:
    return Drawn(again=of.upto(0, 1), tops=0)


@draws("Slice")
def sliced(shape: Shape, of: Dice) -> Drawn | None:
    axis = of.axis(len(shape))
    length = shape[axis]
    tops = of.upto(1, min(4, length))
    points = sorted(of.random.sample(range(1, length), tops - 1)) if tops <= length else []
    if length % tops == 0 and of.chance(0.4):
        points = []
    older = {"slice_dim": axis} if axis >= 0 and of.chance(0.3) else {"axis": axis}
    return Drawn({"slice_param": {**older, "slice_point": points}}, tops=tops, in_place=False)


@draws("Split")
def split(shape: Shape, of: Dice) -> Drawn:
    return Drawn(tops=of.upto(1, 3), in_place=False)


@draws("Tile")
def tile(shape: Shape, of: Dice) -> Drawn:
    return Drawn({"tile_param": {"axis": of.axis(len(shape)), "tiles": of.upto(1, 3)}}, in_place=False)


@draws("Parameter")
def parameter(shape: Shape, of: Dice) -> None:
    return None  # takes no blob, see `plant`
