"""Datum messages: the items of Caffe's databases."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....layers.sources import Datum
from .message import FIXED32, LENGTH, Message

_INTEGERS = {1: "channels", 2: "height", 3: "width", 5: "label", 7: "encoded"}
_DATA, _FLOAT_DATA = 4, 6


def read_datum(data: bytes, name: str) -> Datum:
    """Read a Datum; `name` says in errors whose bytes these are."""
    message = Message(name, data)
    values: dict[str, Any] = {}
    floats = []
    for field in message:
        if field.number in _INTEGERS:
            values[_INTEGERS[field.number]] = message.integer(field)
        elif field.number == _DATA:
            message.expect(field, LENGTH)
            values["data"] = data[field.start : field.end]
        elif field.number == _FLOAT_DATA:
            message.expect(field, LENGTH, FIXED32)
            packed = field.kind == LENGTH
            count = (field.end - field.start) // 4 if packed else field.repeats
            # Where they are not packed, each lies behind a tag of one byte.
            floats.append(np.ndarray((count,), "<f4", data, field.start, (4 if packed else 5,)))
    if floats:
        values["float_data"] = np.concatenate(floats)
    return Datum(**values)
