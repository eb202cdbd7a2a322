"""Readings by layer type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Given:
    """What a layer has when it runs."""

    layer: Any
    """Its LayerParameter: a field that is not set answers with the schema's default."""
    phase: str
    bottoms: list[Array]
    params: list[Array]
    tops: int = 1

    @property
    def x(self) -> Array:
        return self.bottoms[0]


Reading = Callable[[Given], list[Array]]
READINGS: dict[str, Reading] = {}


def reads(*types: str) -> Callable[[Reading], Reading]:
    def enter(reading: Reading) -> Reading:
        assert not READINGS.keys() & set(types), types
        READINGS.update(dict.fromkeys(types, reading))
        return reading

    return enter


def read(given: Given) -> list[Array]:
    """The tops, as many as were asked for; float64, silent where Caffe would give infinite numbers or NaN."""
    with np.errstate(all="ignore"):
        tops = READINGS[given.layer.type](given)
    return [np.asarray(top, np.float64) for top in tops[: given.tops]]


def canonical(axis: int, x: Array) -> int:
    """An axis counted from the front."""
    return axis + x.ndim if axis < 0 else axis


def named(message: Any, field: str) -> str:
    """The name of an enum field's value."""
    value: str = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number[getattr(message, field)].name
    return value


def phase_of(layer: Any, phase: str) -> str:
    """A layer's own phase where it names one, else the net's."""
    return named(layer, "phase") if layer.HasField("phase") else phase


def rounded(x: Array) -> npt.NDArray[np.float32]:
    """A reading in Caffe's precision: what is too large is infinite."""
    with np.errstate(all="ignore"):
        return x.astype(np.float32)
