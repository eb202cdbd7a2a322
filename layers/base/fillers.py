"""Caffe's fillers: how a param starts."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Shape = tuple[int, ...]
_FLOAT = 4
"""Bytes of a number."""


class FillerError(ValueError):
    """A filler is not known or does not fit what it shall fill."""


@dataclass(frozen=True)
class Filler:
    """One FillerParameter; keywords are its fields.

    constant            value
    uniform             U(min, max)
    gaussian            N(mean, std²); with `sparse` >= 0 each number is kept with probability sparse / shape[0]
    positive_unitball   U(0, 1), then each row along axis 0 is divided by its sum
    xavier              U(-a, a), a = sqrt(3 / n)
    msra                N(0, 2 / n)
    bilinear            the kernel that enlarges by interpolation, for square 4-D params

    n is what `variance_norm` says: FAN_IN = count / shape[0], FAN_OUT = count / shape[1], AVERAGE of the two.
    """

    type: str = "constant"
    value: float = 0.0
    min: float = 0.0
    max: float = 1.0
    mean: float = 0.0
    std: float = 1.0
    sparse: int = -1
    variance_norm: str = "FAN_IN"

    @property
    def is_random(self) -> bool:
        """Whether two fills differ."""
        return self.type not in ("constant", "bilinear")

    def check(self, shape: Shape) -> None:
        """Refuse what cannot fill such a shape."""
        if self.type not in _FILL:
            raise FillerError(f"unknown filler {self.type!r} (known: {', '.join(_FILL)})")
        if math.prod(shape) == 0:
            raise FillerError(f"filler {self.type} has nothing to fill: the shape is {'×'.join(map(str, shape))}")
        if math.prod(shape) > sys.maxsize // _FLOAT:
            raise FillerError(f"no memory holds its shape, {'×'.join(map(str, shape))}")
        if self.sparse != -1 and (self.type != "gaussian" or not 0 <= self.sparse <= (shape or (0,))[0]):
            raise FillerError(f"filler {self.type} cannot be sparse: {self.sparse} (gaussian can, from 0 to shape[0])")
        if self.type == "gaussian" and not self.std > 0:
            raise FillerError(f'filler gaussian needs std > 0, got {self.std:g}; type: "constant" fills without spread')
        if self.type == "uniform" and not self.min <= self.max:
            raise FillerError(f"filler uniform needs min <= max, got {self.min:g} and {self.max:g}")
        if self.type == "uniform" and self.max - self.min > torch.finfo(torch.float32).max:
            raise FillerError(f"filler uniform from {self.min:g} to {self.max:g} is wider than a float")
        if self.type == "bilinear" and (len(shape) != 4 or shape[2] != shape[3]):
            raise FillerError(f"filler bilinear needs 4 axes and a square kernel, got {'×'.join(map(str, shape))}")

    @torch.no_grad()
    def fill(self, tensor: Tensor, generator: torch.Generator | None = None) -> None:
        """Fill in place. The numbers depend on the generator alone, not on the tensor's device or memory order."""
        self.check(tuple(tensor.shape))
        if tensor.is_meta:
            return
        device = generator.device if generator is not None else torch.device("cpu")
        direct = tensor.device == device and tensor.is_contiguous()
        values = tensor if direct else torch.empty(tensor.shape, dtype=tensor.dtype, device=device)
        _FILL[self.type](self, values, generator)
        if not direct:
            tensor.copy_(values)


Fill = Callable[[Filler, Tensor, torch.Generator | None], object]


def _fans(filler: Filler, tensor: Tensor) -> float:
    fan_in = tensor.numel() / (tensor.shape[0] if tensor.dim() else 1)
    fan_out = tensor.numel() / (tensor.shape[1] if tensor.dim() > 1 else 1)
    return {"FAN_IN": fan_in, "FAN_OUT": fan_out, "AVERAGE": (fan_in + fan_out) / 2}[filler.variance_norm]


def _constant(filler: Filler, tensor: Tensor, generator: torch.Generator | None) -> None:
    tensor.fill_(filler.value)


def _uniform(filler: Filler, tensor: Tensor, generator: torch.Generator | None) -> None:
    tensor.uniform_(filler.min, filler.max, generator=generator)


def _gaussian(filler: Filler, tensor: Tensor, generator: torch.Generator | None) -> None:
    tensor.normal_(filler.mean, filler.std, generator=generator)
    if filler.sparse >= 0:
        # By the number of outputs, not of inputs as the field's meaning suggests: Caffe does so.
        tensor.mul_(torch.empty_like(tensor).bernoulli_(filler.sparse / tensor.shape[0], generator=generator))


def _positive_unitball(filler: Filler, tensor: Tensor, generator: torch.Generator | None) -> None:
    rows = tensor.uniform_(0, 1, generator=generator).view(tensor.shape[0] if tensor.dim() else 1, -1)
    rows.div_(rows.sum(1, keepdim=True))


def _xavier(filler: Filler, tensor: Tensor, generator: torch.Generator | None) -> None:
    limit = math.sqrt(3 / _fans(filler, tensor))
    tensor.uniform_(-limit, limit, generator=generator)


def _msra(filler: Filler, tensor: Tensor, generator: torch.Generator | None) -> None:
    tensor.normal_(0, math.sqrt(2 / _fans(filler, tensor)), generator=generator)


def _bilinear(filler: Filler, tensor: Tensor, generator: torch.Generator | None) -> None:
    size = tensor.shape[3]
    factor = (size + 1) // 2
    centre = (2 * factor - 1 - factor % 2) / (2 * factor)
    tent = 1 - (torch.arange(size, dtype=tensor.dtype, device=tensor.device) / factor - centre).abs()
    tensor.copy_((tent[:, None] * tent).expand_as(tensor))


_FILL: dict[str, Fill] = {
    "constant": _constant,
    "uniform": _uniform,
    "gaussian": _gaussian,
    "positive_unitball": _positive_unitball,
    "xavier": _xavier,
    "msra": _msra,
    "bilinear": _bilinear,
}
