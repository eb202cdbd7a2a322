"""What is to be ported, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from ...prototxt.export import OutLayer, ParamPosition
from ...prototxt.net import Net
from .boxes import BoxChange


@dataclass(frozen=True)
class Porting:
    """A net that `build` makes, weights in `source`, and the file to write.

    `allow` are the keywords of `Net.load`. `dialect` is the Caffe that is to read a .caffemodel. With `fold`, BatchNorm
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
    allow: Mapping[str, bool] = field(default_factory=dict)

    def scaled(self, net: Net, layers: Sequence[OutLayer]) -> dict[ParamPosition, Tensor]:
        """The params of box layers as they are wanted."""
        return self.boxes.scaled(net, layers) if self.boxes else {}
