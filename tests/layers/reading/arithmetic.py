"""Sums, products and matrices."""

from __future__ import annotations

from functools import reduce

import numpy as np

from .registry import Array, Given, canonical, named, reads


def stretched(factor: Array, x: Array, axis: int) -> Array:
    """A blob that covers x's axes from `axis` on, made to align with them."""
    first = canonical(axis, x) if factor.ndim else 0
    return factor.reshape(*[1] * first, *factor.shape, *[1] * (x.ndim - first - factor.ndim))


@reads("Bias")
def bias(g: Given) -> list[Array]:
    (b,) = [*g.bottoms[1:], *g.params]
    return [g.x + stretched(b, g.x, g.layer.bias_param.axis)]


@reads("Scale")
def scale(g: Given) -> list[Array]:
    p = g.layer.scale_param
    factor, *shift = [*g.bottoms[1:], *g.params]
    y = g.x * stretched(factor, g.x, p.axis)
    return [y + stretched(shift[0], g.x, p.axis) if p.bias_term else y]


@reads("Eltwise")
def eltwise(g: Given) -> list[Array]:
    p = g.layer.eltwise_param
    operation = named(p, "operation")
    if operation == "PROD":
        return [reduce(np.multiply, g.bottoms)]
    if operation == "MAX":
        return [reduce(np.maximum, g.bottoms)]
    coefficients = list(p.coeff) or [1.0] * len(g.bottoms)
    return [sum((c * x for c, x in zip(coefficients, g.bottoms, strict=True)), np.zeros_like(g.x))]


@reads("InnerProduct")
def inner_product(g: Given) -> list[Array]:
    p = g.layer.inner_product_param
    axis = canonical(p.axis, g.x)
    rows = g.x.reshape(int(np.prod(g.x.shape[:axis])), -1)
    y = rows @ (g.params[0] if p.transpose else g.params[0].T)
    if p.bias_term:
        y = y + g.params[1]
    return [y.reshape(*g.x.shape[:axis], p.num_output)]


@reads("Reduction")
def reduction(g: Given) -> list[Array]:
    p = g.layer.reduction_param
    axis = canonical(p.axis, g.x)
    rows = g.x.reshape(*g.x.shape[:axis], -1)
    values = {"SUM": rows, "ASUM": np.abs(rows), "SUMSQ": rows**2, "MEAN": rows / rows.shape[-1]}
    return [p.coeff * values[named(p, "operation")].sum(-1)]
