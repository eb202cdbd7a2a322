"""Layers that treat each number alone."""

from __future__ import annotations

import numpy as np

from .registry import Array, Given, reads


@reads("AbsVal")
def absval(g: Given) -> list[Array]:
    return [np.abs(g.x)]


@reads("BNLL")
def bnll(g: Given) -> list[Array]:
    return [np.logaddexp(0, g.x)]


@reads("Clip")
def clip(g: Given) -> list[Array]:
    low, high = np.float32(g.layer.clip_param.min), np.float32(g.layer.clip_param.max)
    return [np.where(np.isnan(g.x), np.nan, np.maximum(low, np.minimum(g.x, high)))]


@reads("Dropout")
def dropout(g: Given) -> list[Array]:
    assert g.phase == "TEST", "no reading knows the draws"
    ratio = np.float32(g.layer.dropout_param.dropout_ratio)
    return [g.x if g.layer.dropout_param.scale_train else g.x * (1.0 - ratio)]


@reads("ELU")
def elu(g: Given) -> list[Array]:
    return [np.where(g.x > 0, g.x, g.layer.elu_param.alpha * np.expm1(g.x))]


@reads("Exp")
def exp(g: Given) -> list[Array]:
    p = g.layer.exp_param
    log_base = 1.0 if p.base == -1 else np.log(p.base)
    return [np.exp(log_base * p.scale * g.x) * np.exp(log_base * p.shift)]


@reads("Log")
def log(g: Given) -> list[Array]:
    p = g.layer.log_param
    return [np.log(p.shift + p.scale * g.x) / (1.0 if p.base == -1 else np.log(p.base))]


@reads("Power")
def power(g: Given) -> list[Array]:
    p = g.layer.power_param
    return [np.power(p.shift + p.scale * g.x, p.power)]


@reads("PReLU")
def prelu(g: Given) -> list[Array]:
    slope = g.params[0]
    if not g.layer.prelu_param.channel_shared:
        slope = slope.reshape(-1, *[1] * (g.x.ndim - 2))
    return [np.maximum(g.x, 0) + slope * np.minimum(g.x, 0)]


@reads("ReLU")
def relu(g: Given) -> list[Array]:
    return [np.maximum(g.x, 0) + g.layer.relu_param.negative_slope * np.minimum(g.x, 0)]


@reads("Sigmoid")
def sigmoid(g: Given) -> list[Array]:
    return [1 / (1 + np.exp(-g.x))]


@reads("Swish")
def swish(g: Given) -> list[Array]:
    return [g.x / (1 + np.exp(-g.layer.swish_param.beta * g.x))]


@reads("TanH")
def tanh(g: Given) -> list[Array]:
    return [np.tanh(g.x)]


@reads("Threshold")
def threshold(g: Given) -> list[Array]:
    return [(g.x > np.float32(g.layer.threshold_param.threshold)).astype(np.float64)]
