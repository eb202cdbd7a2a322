"""Params of a net: their lr_mult and decay_mult, and sharing by name."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

import torch
from torch import Tensor, nn

from ...layers import Layer, LayerError, Shape, times
from ..caffe_pb2 import ParamSpec
from .graph import Node
from .step import NetError, Step


@dataclass
class Param:
    """One param and the places that use it, as (layer, index) pairs; the first place owns it."""

    places: list[tuple[int, int]]
    shape: Shape
    spec: ParamSpec
    layers: list[str] = field(default_factory=list)

    @property
    def lr_mult(self) -> float:
        """The factor of the learning rate; 0 does not learn."""
        return self.spec.lr_mult

    @property
    def decay_mult(self) -> float:
        """The factor of the weight decay."""
        return self.spec.decay_mult

    @property
    def shared(self) -> bool:
        """Whether more than one place uses it."""
        return len(self.places) > 1


def collect_params(params: list[Param], named: dict[str, Param], index: int, node: Node, layer: Layer) -> None:
    """Add a layer's params to those of the layers before it, sharing those whose name is known already."""
    specs = _specs(node.message.param, layer)
    for position, (shape, spec) in enumerate(zip(layer.param_shapes, specs, strict=True)):
        owner = named.get(spec.name) if spec.name else None
        if owner is None:
            owner = Param([], shape, spec)
            params.append(owner)
            if spec.name:
                named[spec.name] = owner
        else:
            _check_shapes(owner, shape, spec)
            _merge_multipliers(owner, spec)
        owner.places.append((index, position))
        owner.layers.append(node.name)


def expected_params(
    params: Sequence[Param], steps: Sequence[Step], positions: Mapping[str, int]
) -> tuple[dict[str, list[Shape]], list[list[tuple[str, int]]]]:
    """What a file may hold for layers that go by these names: the shapes by layer, and the places of shared params."""
    names = {i: name for name, i in positions.items()}
    shapes = {name: steps[i].layer.param_shapes for name, i in positions.items()}
    return shapes, [[(names[i], k) for i, k in param.places if i in names] for param in params if param.shared]


def fill_params(
    params: Sequence[Param], steps: Sequence[Step], given: Mapping[tuple[int, int], Tensor], seed: int
) -> None:
    """Give every param the value handed in for one of its places, else its present value, else its filler's."""
    for param in params:
        position, index = param.places[0]
        handed = [given[place] for place in param.places if place in given]
        present: Tensor = getattr(steps[position].layer, str(index))
        if handed:
            # A file repeats a shared param under each of its layers; the last one stays, as in Caffe.
            value = handed[-1].reshape(param.shape)
        elif present.is_meta:
            value = _filled(param, steps[position], index, seed)
        else:
            continue
        learns = any(steps[i].needs.backward and steps[i].needs.params[k] for i, k in param.places)
        stored = nn.Parameter(value, requires_grad=learns)
        for i, k in param.places:
            steps[i].layer.register_parameter(str(k), stored)


def _filled(param: Param, step: Step, index: int, seed: int) -> Tensor:
    """A param from its filler; its numbers depend on the seed and its name alone."""
    try:
        value = torch.empty(param.shape, device="cpu")
    except RuntimeError:
        size = prod(param.shape) * torch.float32.itemsize
        raise NetError(
            f"{step.node}: out of memory for param {index} of {times(param.shape)}, {size:,} bytes"
        ) from None
    name = f"{param.layers[0]}/{index}".encode()
    step.layer.fillers[index].fill(value, torch.Generator().manual_seed(zlib.crc32(name, seed)))
    return value


def _specs(given: Sequence[ParamSpec], layer: Layer) -> list[ParamSpec]:
    """One spec for each param; running statistics never learn."""
    count = len(layer.param_shapes)
    if len(given) > count:
        raise LayerError(f"has {len(given)} param {{ }} for its {count} param(s)")
    specs = list(given)
    if layer.statistics:
        if any(spec.lr_mult for spec in specs):
            raise LayerError("keeps running statistics as its params: their lr_mult can only be 0")
        specs += [ParamSpec(lr_mult=0)] * (count - len(specs))
    return specs + [ParamSpec()] * (count - len(specs))


def _check_shapes(owner: Param, shape: Shape, spec: ParamSpec) -> None:
    permissive = spec.share_mode == ParamSpec.PERMISSIVE
    if shape == owner.shape or (permissive and prod(shape) == prod(owner.shape)):
        return
    way_out = "" if permissive else "; share_mode: PERMISSIVE would allow another shape of the same count"
    raise LayerError(
        f"cannot share param {spec.name!r} with layer {owner.layers[0]!r}: "
        f"shapes {times(shape)} and {times(owner.shape)} differ{way_out}"
    )


def _merge_multipliers(owner: Param, spec: ParamSpec) -> None:
    """An unset multiplier is taken from the other; two set ones must agree."""
    merged = ParamSpec()
    merged.CopyFrom(owner.spec)
    for name in ("lr_mult", "decay_mult"):
        if not spec.HasField(name):
            continue
        if merged.HasField(name) and getattr(merged, name) != getattr(spec, name):
            raise LayerError(
                f"shares param {spec.name!r} with layer {owner.layers[0]!r} but has another {name}: "
                f"{getattr(spec, name):g} and {getattr(merged, name):g}"
            )
        setattr(merged, name, getattr(spec, name))
    owner.spec = merged
