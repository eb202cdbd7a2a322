"""What is to be ported, and how."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ...prototxt.export import ParamPosition
from ...prototxt.files import LayerParams
from ...prototxt.net import Allow, Net
from .boxes import BoxChange


@dataclass(frozen=True)
class Porting:
    """A net that `build` makes, weights in `source`, and the file to write.

    `allow` is for `Net.load`. `dialect` is the Caffe that is to read a .caffemodel. With `fold`, BatchNorm
    and Scale go into the convolutions of a model. `run_nets` runs nets of any size.
    """

    build: Callable[[], Net]
    source: str
    target: Path
    dialect: str = "bvlc"
    boxes: BoxChange | None = None
    fold: bool = False
    run_nets: bool = False
    force: bool = False
    allow: Allow = Allow()

    def scaled(self, net: Net, layers: Sequence[LayerParams]) -> dict[ParamPosition, Tensor]:
        """The params of box layers as they are wanted."""
        return self.boxes.scaled(net, layers) if self.boxes else {}
