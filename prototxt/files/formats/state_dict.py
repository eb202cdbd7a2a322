"""A net's params by the keys of its state_dict, LAYER.INDEX, as more than one format has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..layer_params import LayerParams, ParamValues
from ..weights import INDEX, Blob, Weights, split_keys


def state_of(layers: Iterable[LayerParams]) -> dict[str, ParamValues]:
    """Params by the keys that the net's own state_dict has."""
    return {f"{layer.key}.{index}": param for layer in layers for index, param in enumerate(layer.params)}


def state_weights(path: str, tensors: Mapping[str, Blob]) -> Weights:
    """The weights in a file's tensors by key."""
    layers = split_keys(path, tensors, rf"(.+)\.{INDEX}", "LAYER.INDEX, as the state_dict of a Net has")
    return Weights.of(path, layers, by_module=True)
