"""A fixture: one net, what it was fed and what Caffe gave for it, in one .npz file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy.typing as npt

from ..prototxt.net import ParamName
from .errors import GoldenError
from .npz import read_joined, write_npz
from .recipe import make_image, make_params

Array = npt.NDArray[Any]
_BLOBS = {"input": "inputs", "bottom": "bottoms", "top": "tops", "top_diff": "top_diffs", "diff": "diffs", "rng": "rng"}
_PARAMS = {"param": "params", "param_diff": "param_diffs", "post": "post", "version": "versions"}
_FULL_SIZE = ("head_seed", "params", "data_hw")
"""Keys that stand, with `seed`, for params and image in a full-size fixture."""
_STATE = 624 + 3
_VARIANTS = ("frcnn", "rfcn")


@dataclass(frozen=True)
class Fixture:
    """What one .npz file holds: blobs by name, params by (layer, index); fed or expected as noted."""

    path: Path
    prototxt: str
    phase: str
    variant: str = "frcnn"
    """Whose Python layers ran: py-faster-rcnn's (frcnn) or py-R-FCN's (rfcn)."""
    config: dict[str, Any] = field(default_factory=dict)
    """Config keys that differ from the originals' defaults."""
    rng_seed: int | None = None
    """NumPy's legacy generator was seeded with it right before forward."""
    seed: int | None = None
    """Caffe's own generator was seeded with it before the net was made."""
    inputs: dict[str, Array] = field(default_factory=dict)
    """Fed: the arrays that a layer of memory gives, by the tops that give them."""
    bottoms: dict[str, Array] = field(default_factory=dict)
    """Fed."""
    params: dict[ParamName, Array] = field(default_factory=dict)
    """Fed."""
    tops: dict[str, Array] = field(default_factory=dict)
    """Expected of forward."""
    forwards: list[dict[str, Array]] = field(default_factory=list)
    """Expected of one forward after another, in place of `tops`."""
    versions: dict[ParamName, Array] = field(default_factory=dict)
    """Expected: a blob's first, second ... value, each overwritten in place by the next; the last is in `tops`."""
    rng: dict[str, Array] = field(default_factory=dict)
    """Expected: NumPy's legacy generator right before a Python layer ran: 624 words, position, has_gauss, gauss."""
    top_diffs: dict[str, Array] = field(default_factory=dict)
    """Fed to backward."""
    diffs: dict[str, Array] = field(default_factory=dict)
    """Expected of backward."""
    param_diffs: dict[ParamName, Array] = field(default_factory=dict)
    """Expected of backward."""
    post: dict[ParamName, Array] = field(default_factory=dict)
    """Params that forward itself changes: expected."""
    trace: dict[str, Array] = field(default_factory=dict)
    """A solver's steps: the keys behind `trace/` as they are."""
    meta: dict[str, Any] = field(default_factory=dict)
    """Told by the program that wrote it: versions, hashes, options, notes."""

    @property
    def has_backward(self) -> bool:
        """Whether it expects anything of backward."""
        return bool(self.diffs or self.param_diffs)

    @property
    def has_params_alone(self) -> bool:
        """Whether nothing is to be computed: its params are what a file of weights beside it holds."""
        computed = (self.tops, self.diffs, self.param_diffs, self.post, self.forwards, self.trace)
        return bool(self.params) and not any(computed)

    @property
    def has_trace_alone(self) -> bool:
        """Whether it holds a solver's steps and no forward of its net."""
        return bool(self.trace) and not self.bottoms and not self.tops

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Fixture:
        """Read a fixture, or a full-size one whose params and image follow from seeds."""
        path = Path(path)
        try:
            return cls(path, **_sort(read_joined(path)))
        except GoldenError as error:
            raise GoldenError(f"{path}: {error}") from None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it: the whole file appears at once, or not at all."""
        write_npz(Path(path), self._keys())

    def _keys(self) -> dict[str, Any]:
        """The file's keys and values."""
        keys: dict[str, Any] = {"prototxt": self.prototxt, "phase": self.phase, "variant": self.variant}
        keys["cfg"] = json.dumps(self.config, sort_keys=True)
        keys |= {"meta": json.dumps(self.meta, sort_keys=True)} if self.meta else {}
        keys |= {key: seed for key in ("rng_seed", "seed") if (seed := getattr(self, key)) is not None}
        for kind, name in _BLOBS.items():
            keys |= {f"{kind}/{blob}": value for blob, value in getattr(self, name).items()}
        for kind, name in _PARAMS.items():
            keys |= {f"{kind}/{layer}/{i}": value for (layer, i), value in getattr(self, name).items()}
        keys |= {f"top/{k}/{blob}": value for k, tops in enumerate(self.forwards) for blob, value in tops.items()}
        return keys | {f"trace/{key}": value for key, value in self.trace.items()}


def _sort(arrays: Mapping[str, Array]) -> dict[str, Any]:
    """A file's arrays as the fields of a Fixture; a key that is none of the format's is refused."""
    fields: dict[str, Any] = {name: {} for name in [*_BLOBS.values(), *_PARAMS.values(), "trace"]}
    single = {}
    for key, value in arrays.items():
        kind, slash, rest = key.partition("/")
        if not slash:
            single[key] = value
        elif kind == "rng" and value.shape != (_STATE,):
            raise GoldenError(f"key {key!r} should be a generator's state, {_STATE} numbers")
        elif kind in _BLOBS and rest:
            fields[_BLOBS[kind]][rest] = value
        elif kind in _PARAMS:
            fields[_PARAMS[kind]][_place(key, rest)] = value
        elif kind == "trace" and rest:
            fields["trace"][rest] = value
        else:
            raise _unknown(key)
    if forwards := _forwards(fields["tops"]):
        fields |= {"tops": {}, "forwards": forwards}
    return fields | _singles(single, fields)


def _forwards(tops: Mapping[str, Array]) -> list[dict[str, Array]]:
    """The tops of each forward, where every name begins with a forward's number; else none."""
    forwards: dict[str, dict[str, Array]] = {}
    for name, value in tops.items():
        number, slash, blob = name.partition("/")
        forwards.setdefault(number if slash and blob else "", {})[blob] = value
    numbers = [str(number) for number in range(len(forwards))]
    return [forwards[number] for number in numbers] if set(forwards) == set(numbers) else []


def _singles(values: dict[str, Array], fields: dict[str, Any]) -> dict[str, Any]:
    """The fields that are one value each; seeds become params and the blob `data`."""
    found: dict[str, Any] = {}
    found["prototxt"] = _text(values, "prototxt")
    found["phase"] = _choice(values, "phase", ("TRAIN", "TEST"))
    if "variant" in values:
        found["variant"] = _choice(values, "variant", _VARIANTS)
    if "cfg" in values:
        found["config"] = _object(values, "cfg")
    if "meta" in values:
        found["meta"] = _object(values, "meta")
    if "rng_seed" in values:
        found["rng_seed"] = _integers(values, "rng_seed", 1)[0]
    if "seed" in values and not any(key in values for key in _FULL_SIZE):
        found["seed"] = _integers(values, "seed", 1)[0]
    if any(key in values for key in ("seed", *_FULL_SIZE)):
        (seed,), (head_seed,) = _integers(values, "seed", 1), _integers(values, "head_seed", 1)
        height, width = _integers(values, "data_hw", 2)
        found["params"] = make_params(_text(values, "params"), seed, head_seed) | fields["params"]
        found["bottoms"] = {"data": make_image(seed, height, width)} | fields["bottoms"]
    if values:
        raise _unknown(next(iter(values)))
    return found


def _place(key: str, rest: str) -> ParamName:
    layer, _, index = rest.rpartition("/")
    if not layer or not index.isdecimal():
        what = (
            "a blob's name and a number from 0"
            if key.startswith("version/")
            else "a layer's name and the index of its param"
        )
        raise GoldenError(f"key {key!r} should end in {what}")
    return layer, int(index)


def _take(values: dict[str, Array], key: str) -> Array:
    if key not in values:
        raise GoldenError(f"lacks the key {key!r}: not a fixture, or not a whole one")
    return values.pop(key)


def _text(values: dict[str, Array], key: str) -> str:
    value = _take(values, key)
    if value.shape or value.dtype.kind != "U":
        raise GoldenError(f"key {key!r} should be one text")
    return str(value)


def _choice(values: dict[str, Array], key: str, choices: tuple[str, ...]) -> str:
    text = _text(values, key)
    if text not in choices:
        raise GoldenError(f"key {key!r} is {text!r}, not one of {', '.join(choices)}")
    return text


def _integers(values: dict[str, Array], key: str, count: int) -> list[int]:
    value = _take(values, key)
    if value.size != count or value.dtype.kind not in "iu":
        raise GoldenError(f"key {key!r} should be {count} integer(s)")
    return [int(item) for item in value.flat]


def _object(values: dict[str, Array], key: str) -> dict[str, Any]:
    text = _text(values, key)
    try:
        found = json.loads(text)
    except ValueError as error:
        raise GoldenError(f"key {key!r} is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise GoldenError(f"key {key!r} should be a JSON object")
    return found


def _unknown(key: str) -> GoldenError:
    return GoldenError(f"has the key {key!r}, which no fixture has: nothing would check it")
