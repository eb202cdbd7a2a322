"""Layers that treat each number alone."""

from __future__ import annotations

from ..draw import Dice, Drawn, Shape, draws


@draws("AbsVal")
def absval(shape: Shape, of: Dice) -> Drawn:
    return Drawn(in_place=False)


@draws("BNLL", "TanH", "Sigmoid")
def plain(shape: Shape, of: Dice) -> Drawn:
    return Drawn()


@draws("Clip")
def clip(shape: Shape, of: Dice) -> Drawn:
    return Drawn({"clip_param": {"min": of.number(-2, 0.2), "max": of.number(-0.3, 2)}})


@draws("Dropout")
def dropout(shape: Shape, of: Dice) -> Drawn:
    fields = of.some(dropout_ratio=of.number(0.1, 0.9), scale_train=of.chance(0.5))
    return Drawn({"phase": "TEST", "dropout_param": fields})


@draws("ELU")
def elu(shape: Shape, of: Dice) -> Drawn:
    return Drawn({"elu_param": of.some(alpha=of.number(-0.5, 2))})


@draws("Exp")
def exp(shape: Shape, of: Dice) -> Drawn:
    fields = of.some(base=of.number(0.3, 4), scale=of.number(-1, 1), shift=of.number(-1, 1))
    return Drawn({"exp_param": fields})


@draws("Log")
def log(shape: Shape, of: Dice) -> Drawn:
    # Mostly of positive numbers.
    return Drawn(
        {"log_param": {"scale": of.number(-0.5, 0.5), "shift": of.number(2, 6), **of.some(base=of.number(2, 5))}}
    )


@draws("Power")
def power(shape: Shape, of: Dice) -> Drawn:
    if of.chance(0.3):  # of negative numbers whole powers only
        return Drawn(
            {"power_param": {"power": of.one((0, 1, 2, 3)), **of.some(scale=of.number(-2, 2), shift=of.number(-1, 1))}}
        )
    fields = {"power": of.number(-2, 2.5), "scale": of.number(-0.3, 0.3), "shift": of.number(2, 5)}
    return Drawn({"power_param": fields})


@draws("PReLU")
def prelu(shape: Shape, of: Dice) -> Drawn | None:
    return Drawn({"prelu_param": of.some(channel_shared=of.chance(0.5))}) if 2 <= len(shape) <= 4 else None


@draws("ReLU")
def relu(shape: Shape, of: Dice) -> Drawn:
    return Drawn({"relu_param": of.some(negative_slope=of.one((0.1, 0.5, -0.3, 2)))})


@draws("Swish")
def swish(shape: Shape, of: Dice) -> Drawn:
    return Drawn({"swish_param": of.some(beta=of.number(-2, 3))})


@draws("Threshold")
def threshold(shape: Shape, of: Dice) -> Drawn:
    return Drawn({"threshold_param": of.some(threshold=of.number(-1, 1))}, read_on=0, in_place=False)
