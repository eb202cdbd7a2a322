"""The last box layer with or without the normalisation of its targets, as py-faster-rcnn and py-R-FCN fold it in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..errors import PrototxtError
from ..files import LayerParams
from ..net import Net, Node, unique_keys
from ..text import Config
from .net_params import ParamPosition

HEADS = ("bbox_pred", "rfcn_bbox")
_RPN_HEAD = "rpn_bbox_pred"
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BoxScaling:
    """Means and deviations of box targets: four, or four for each class; `undo` folds them in, else they are taken out.

    A net trained on normalised targets t' = (t - mean) / std gives t' itself: undone, weights w become w * std and
    biases b * std + mean, and it gives t, which is what the originals save. A class without a box to measure, such as
    the background, has the deviation 0: what it gives becomes 0, and stays it.
    """

    means: tuple[float, ...]
    stds: tuple[float, ...]
    undo: bool

    def __post_init__(self) -> None:
        if len(self.means) != len(self.stds) or not self.stds or len(self.stds) % 4:
            counts = f"{len(self.means)} means and {len(self.stds)} deviations"
            raise PrototxtError(f"boxes are scaled by four means and deviations, or four for each class, not {counts}")
        if min(self.stds) < 0 or not any(self.stds):
            raise PrototxtError(f"boxes are scaled by deviations above 0, not {min(self.stds):g}")

    def apply(self, node: Node, weight: Tensor, bias: Tensor, repeats: int) -> tuple[Tensor, Tensor]:
        """Scale a layer whose outputs are boxes of all classes in turn, each number `repeats` times in a row."""
        rows, rest = divmod(len(weight), repeats)
        if rest or rows % len(self.stds) or len(weight) != len(bias):
            raise PrototxtError(f"{node}: {len(weight)} outputs are no boxes for {len(self.stds)} deviations")
        # As in the originals: for every class, then for every cell of the position-sensitive grid, in float64.
        means, stds = (np.repeat(np.tile(v, rows // len(self.stds)), repeats) for v in (self.means, self.stds))
        column = stds.reshape(-1, *(1,) * (weight.dim() - 1))
        w, b = weight.double().numpy(), bias.double().numpy()
        scaled = (w * column, b * stds + means) if self.undo else (_over(w, column), _over(b - means, stds))
        return _float(scaled[0]), _float(scaled[1])


def scale_boxes(net: Net, layers: Sequence[LayerParams], scaling: BoxScaling) -> dict[ParamPosition, Tensor]:
    """New values for the params of a net's box heads, by place; a net without one is refused.

    The heads are bbox_pred and R-FCN's rfcn_bbox, and rpn_bbox_pred where the config has TRAIN.RPN_NORMALIZE_TARGETS,
    with means and deviations of its own.
    """
    if not any(layer.name in HEADS and len(layer.params) == 2 for layer in layers):
        raise PrototxtError(f"net {net.graph.name!r} has no box layer to scale ({' or '.join(HEADS)}, with a bias)")
    return scale_heads(net, layers, dict.fromkeys(HEADS, scaling) | rpn_scaling(net.config, scaling.undo))


def rpn_scaling(config: Config, undo: bool) -> dict[str, BoxScaling]:
    """How an RPN's boxes are scaled, by their layer's name; empty where the config does not normalise their targets."""
    if not config["TRAIN.RPN_NORMALIZE_TARGETS"]:
        return {}
    means, stds = (tuple(config[f"TRAIN.RPN_NORMALIZE_{name}"]) for name in ("MEANS", "STDS"))
    return {_RPN_HEAD: BoxScaling(means, stds, undo)}


def scale_heads(
    net: Net, layers: Sequence[LayerParams], scalings: Mapping[str, BoxScaling]
) -> dict[ParamPosition, Tensor]:
    """New values for the params of those of the named layers that the net has, by place."""
    scaled: dict[ParamPosition, Tensor] = {}
    places = {key: (i, step.node) for i, (key, step) in enumerate(unique_keys(net.steps).items())}
    for layer in layers:
        if layer.name not in scalings or len(layer.params) != 2:
            continue
        position, node = places[layer.key]
        weight, bias = (torch.from_numpy(param.array()) for param in layer.params)
        pair = scalings[layer.name].apply(node, weight, bias, repeats(net, node, len(weight)))
        scaled |= {(position, index): value for index, value in enumerate(pair)}
    return scaled


def repeats(net: Net, node: Node, rows: int) -> int:
    """How many cells a position-sensitive grid has for each number of a box; 1 where there is no grid."""
    blobs = set(node.tops)
    for other in net.nodes:
        if other.type == "Split" and blobs & set(other.bottoms):
            blobs |= set(other.tops)
        elif other.type == "PSROIPooling" and other.bottoms[0] in blobs:
            return rows // other.message.psroi_pooling_param.output_dim
    return 1


def _over(values: Doubles, stds: Doubles) -> Doubles:
    """The quotient, 0 where the divisor is."""
    return np.divide(values, stds, out=np.zeros_like(values), where=stds > 0)


def _float(values: Doubles) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))
