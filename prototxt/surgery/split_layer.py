"""A learned layer as several that each give some of its outputs, so that each may learn at a rate of its own."""

from __future__ import annotations

from collections.abc import Sequence

from ..caffe_pb2 import LayerParameter
from .compress import LIMIT
from .heads import LEARNED, learned_param
from .operation import Operation, SurgeryError


def split_layer(operation: Operation, name: str, counts: Sequence[int]) -> None:
    """Make NAME into NAME_1, NAME_2, ... with these numbers of outputs, and a Concat NAME that gives its top."""
    layer = operation.sole_layer(name, LEARNED)
    outputs = learned_param(layer).num_output
    if len(counts) < 2 or min(counts) < 1 or sum(counts) != outputs:
        asked = ", ".join(map(str, counts))
        raise SurgeryError(f"layer {name!r} has {outputs} outputs, to be split into two parts or more, not {asked}")
    if layer.convolution_param.group > 1 or len(layer.bottom) > 1:
        raise SurgeryError(f"layer {name!r} has groups or several bottoms: it cannot be split")
    names = [f"{name}_{i}" for i in range(1, len(counts) + 1)]
    blobs = {blob for other in operation.message.layer for blob in other.top}
    if taken := ({other.name for other in operation.message.layer} | blobs) & set(names):
        raise SurgeryError(f"layer {name!r} cannot be split: there is a layer or blob {min(taken)!r} already")
    weight, *bias = operation.net.layer(name).params
    axis = 1 if layer.inner_product_param.transpose else 0
    parts = zip(weight.split(tuple(counts), axis), *(b.split(tuple(counts)) for b in bias), strict=True)
    operation.values |= {part: [p.contiguous() for p in params] for part, params in zip(names, parts, strict=True)}
    start = 0
    for part, count in zip(names, counts, strict=True):
        operation.did(part, f"outputs {start} to {start + count - 1} of {name!r}")
        start += count
    operation.promise.limit = LIMIT
    operation.replace(
        layer, *(_part(layer, part, n) for part, n in zip(names, counts, strict=True)), _joint(operation, layer, names)
    )


def _part(layer: LayerParameter, name: str, count: int) -> LayerParameter:
    part = LayerParameter()
    part.CopyFrom(layer)
    part.name = part.top[0] = name
    for spec in part.param:
        spec.ClearField("name")
    learned_param(part).num_output = count
    return part


def _joint(operation: Operation, layer: LayerParameter, names: Sequence[str]) -> LayerParameter:
    joint = LayerParameter(name=layer.name, type="Concat", bottom=names, top=layer.top)
    joint.include.MergeFrom(layer.include)
    joint.exclude.MergeFrom(layer.exclude)
    last = len(operation.net.blob_shapes[layer.top[0]]) - 1
    joint.concat_param.axis = last if layer.type == "InnerProduct" else layer.convolution_param.axis
    operation.did(layer.name, "joins them, and has no params")
    return joint
