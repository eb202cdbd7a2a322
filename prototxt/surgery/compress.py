"""A fully connected layer as two thin ones: its weight's largest singular values, as py-faster-rcnn's compress_net."""

from __future__ import annotations

import torch
from torch import Tensor

from ..caffe_pb2 import LayerParameter
from .operation import Operation, SurgeryError, reached

LIMIT = 1e-4
"""How far a blob may move where all singular values are kept."""
_ZERO = 1e-7
"""The part of the largest singular value below which float32 cannot tell one from 0."""


def compress(operation: Operation, name: str, rank: int) -> None:
    """Make NAME into NAME_L, to `rank` numbers and without bias, and NAME_U, which gives NAME's top.

    The weight W = U S V is cut to its `rank` largest singular values: NAME_L has S V, NAME_U has U and the bias.
    """
    layer = operation.sole_layer(name, ("InnerProduct",))
    weight, *bias = operation.net.layer(name).params
    most = min(weight.shape)
    if not 1 <= rank <= most:
        raise SurgeryError(f"layer {name!r} can be cut to 1 to {most} singular values, not {rank}")
    transposed = layer.inner_product_param.transpose
    values, *factors = cut(weight.detach().t() if transposed else weight.detach(), rank)
    first, second = (factor.t().contiguous() if transposed else factor.contiguous() for factor in factors)
    names = f"{name}_L", f"{name}_U"
    if taken := {other.name for other in operation.message.layer} & set(names):
        raise SurgeryError(f"layer {name!r} cannot be compressed: there is a layer {min(taken)!r} already")
    operation.promise.limit = LIMIT
    if rank < most:
        operation.promise.moved, operation.promise.measured = reached(operation.net, {name}), True
    operation.replace(layer, *_pair(operation, layer, names, rank))
    operation.values |= {names[0]: [first], names[1]: [second, *bias]}
    operation.did(names[0], f"S V of {name!r}: {_loss(values, rank)}")
    operation.did(names[1], f"U of {name!r}")


def cut(matrix: Tensor, rank: int) -> tuple[Tensor, Tensor, Tensor]:
    """All singular values of U S V, and the largest `rank` of them as S V and U: (min(N, M),), (rank, M), (N, rank).

    By the eigenvectors of the smaller product of the matrix with itself, in float64: many times as fast as LAPACK's
    SVD for VGG16's fc6, and as exact as float32 can hold.
    """
    wide = matrix.shape[0] <= matrix.shape[1]
    exact = matrix.double()
    squares, vectors = torch.linalg.eigh(exact @ exact.t() if wide else exact.t() @ exact)
    values, vectors = squares.clamp(min=0).sqrt().flip(0), vectors.flip(1)[:, :rank]
    if wide:
        return values, (vectors.t() @ exact).float(), vectors.float()
    kept = values[:rank]
    # What belongs to a singular value of 0 has no direction, and none is needed.
    divisors = kept.where(kept > _ZERO * values[0], torch.inf)
    return values, (kept[:, None] * vectors.t()).float(), (exact @ vectors / divisors).float()


def _pair(operation: Operation, layer: LayerParameter, names: tuple[str, str], rank: int) -> list[LayerParameter]:
    lower, upper = LayerParameter(), LayerParameter()
    for half, name in zip((lower, upper), names, strict=True):
        half.CopyFrom(layer)
        half.name = name
        # Under one name the two would share their weight.
        for spec in half.param:
            spec.ClearField("name")
    del lower.param[1:]
    lower.inner_product_param.num_output = rank
    lower.inner_product_param.bias_term = False
    lower.inner_product_param.ClearField("bias_filler")
    lower.top[0] = upper.bottom[0] = names[0]
    if layer.inner_product_param.HasField("axis"):
        upper.inner_product_param.axis = len(operation.net.blob_shapes[layer.top[0]]) - 1
    return [lower, upper]


def _loss(values: Tensor, rank: int) -> str:
    squares = values**2
    lost = float(squares[rank:].sum() / squares.sum()) if squares.any() else 0.0
    return f"{rank} of {len(values)} singular values, {1 - lost:.2%} of their squares, relative error {lost**0.5:.2g}"
