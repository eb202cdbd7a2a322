"""Where a net runs."""

from __future__ import annotations

import torch

from .errors import DetectionError


def device_of(name: str, local_rank: int = 0) -> torch.device:
    """The device of a name; of several processes with `cuda` each has its own."""
    try:
        device = torch.device(name)
    except RuntimeError:
        told = f"device={name}: is none; there are cpu, cuda, cuda:1 and on"
        raise DetectionError(told, choices=("device",)) from None
    if device.type == "cuda" and not torch.cuda.is_available():
        told = f"device={name}: no GPU is found here (recaffe doctor tells more)"
        raise DetectionError(told, choices=("device",))
    return torch.device("cuda", local_rank) if device.type == "cuda" and device.index is None else device
