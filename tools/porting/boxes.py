"""Box layers whose targets were normalised in training, ported with that undone, or done again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from ...prototxt.export import BoxScaling, ParamPosition, scale_boxes
from ...prototxt.files import LayerParams
from ...prototxt.net import Net


@dataclass(frozen=True)
class BoxChange:
    """Undo the normalisation, or do it; where means or deviations are not given, they are the config's."""

    undo: bool
    means: tuple[float, ...] = ()
    stds: tuple[float, ...] = ()

    def scaled(self, net: Net, layers: Sequence[LayerParams]) -> dict[ParamPosition, Tensor]:
        """The params of the box layers as they become."""
        means = self.means or net.config["TRAIN.BBOX_NORMALIZE_MEANS"]
        stds = self.stds or net.config["TRAIN.BBOX_NORMALIZE_STDS"]
        return scale_boxes(net, layers, BoxScaling(tuple(means), tuple(stds), undo=self.undo))
