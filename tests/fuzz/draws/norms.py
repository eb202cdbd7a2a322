"""Layers that divide by what is around."""

from __future__ import annotations

from ..draw import Dice, Drawn, Shape, draws


@draws("BatchNorm")
def batch_norm(shape: Shape, of: Dice) -> Drawn:
    fields = of.some(
        use_global_stats=of.chance(0.5), eps=of.one((1e-5, 1e-3, 0.1)), moving_average_fraction=of.number(0.5, 1)
    )
    return Drawn({"batch_norm_param": fields})


@draws("LRN")
def lrn(shape: Shape, of: Dice) -> Drawn | None:
    if len(shape) != 4:
        return None
    region = of.one(("WITHIN_CHANNEL", "ACROSS_CHANNELS"))
    fields = of.some(
        local_size=of.one((1, 3, 5, 7)), alpha=of.number(0.1, 2), beta=of.number(0.3, 1.5), k=of.number(0.5, 2)
    )
    return Drawn({"lrn_param": {"norm_region": region, **fields}}, in_place=False)


@draws("MVN")
def mvn(shape: Shape, of: Dice) -> Drawn | None:
    fields = of.some(normalize_variance=of.chance(0.5), across_channels=of.chance(0.5))
    return Drawn({"mvn_param": fields}, in_place=False) if len(shape) <= 4 else None


@draws("Softmax")
def softmax(shape: Shape, of: Dice) -> Drawn:
    return Drawn({"softmax_param": {"axis": of.axis(len(shape))}})
