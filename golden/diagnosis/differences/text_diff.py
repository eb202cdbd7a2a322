"""Two prototxts side by side: what differs layer by layer, in the fields' own names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from ....prototxt import LayerParameter
from ....prototxt.net import Net, Node
from ....prototxt.text import Config, read_param_str

_TOLD = {"name", "include", "exclude", "phase", "top", "bottom", "param_str"}
"""Fields that decide who takes part, or that are told in another way."""
_IDLE = {"weight_filler", "bias_filler", "filler", "engine", "force_nd_im2col", "input_param"}
"""Fields that change no result: fillers give way to weights, and an input has the shape that is handed in."""


@dataclass(frozen=True)
class FieldDifference:
    """A field that two prototxts, or two configs, have otherwise; `str()` of it is one line."""

    layer: str
    """Empty for a key of the config."""
    field: str
    """Such as `pooling_param.stride`; empty for a layer that only one side has."""
    golden: str | None
    ours: str | None

    def __str__(self) -> str:
        if not self.layer:
            return f"config {self.field}: golden {self.golden}, NET {self.ours}"
        if not self.field:
            side, what = ("golden", self.golden) if self.ours is None else ("NET", self.ours)
            return f"layer {self.layer!r} ({what}) is in the {side} only"
        return f"layer {self.layer!r}: {self.field}: golden {self.golden}, NET {self.ours}"


def compare_nets(golden: Net, ours: Net) -> list[FieldDifference]:
    """Everything that differs, in the order of our net; layers that we lack come where the golden has them."""
    wanted, had = _layers(golden), _layers(ours)
    found = list(_config(golden.config, ours.config))
    for name in _merged(list(wanted), list(had)):
        if name not in had:
            found.append(FieldDifference(name, "", wanted[name].type, None))
        elif name not in wanted:
            found.append(FieldDifference(name, "", None, had[name].type))
        else:
            found += _fields(name, _blobs(golden, wanted[name]), _blobs(ours, had[name]))
            found += _messages(name, "", wanted[name].message, had[name].message)
            found += _keywords(name, wanted[name].message, had[name].message)
    return found


def _layers(net: Net) -> dict[str, Node]:
    return {node.name: node for node in net.nodes if not node.inserted}


def _merged(wanted: list[str], had: list[str]) -> list[str]:
    """Our layers, each of the golden's that we lack behind the one before it."""
    names = list(had)
    for before, name in zip([None, *wanted], wanted, strict=False):
        if name not in names:
            names.insert(names.index(before) + 1 if before in names else 0, name)
    return names


def _blobs(net: Net, node: Node) -> dict[str, tuple[str, ...]]:
    """A layer's blobs as the file has them."""
    whole = {top: other.bottoms[0] for other in net.nodes if other.inserted for top in other.tops}
    return {"bottom": tuple(whole.get(blob, blob) for blob in node.bottoms), "top": node.tops}


def _fields(
    layer: str, golden: Mapping[str, tuple[str, ...]], ours: Mapping[str, tuple[str, ...]]
) -> Iterator[FieldDifference]:
    for field, want in golden.items():
        if want != ours[field]:
            yield FieldDifference(layer, field, " ".join(want) or "none", " ".join(ours[field]) or "none")


def _messages(layer: str, path: str, golden: Message, ours: Message) -> Iterator[FieldDifference]:
    """Fields with unlike values, defaults taken for what they are."""
    for field in golden.DESCRIPTOR.fields:
        if field.name in _TOLD | _IDLE:
            continue
        want, have = getattr(golden, field.name), getattr(ours, field.name)
        name = f"{path}{field.name}"
        if field.message_type is not None and not _repeats(field):
            yield from _messages(layer, f"{name}.", want, have)
        elif _plain(field, want) != _plain(field, have):
            yield FieldDifference(layer, name, _plain(field, want), _plain(field, have))


def _repeats(field: Any) -> bool:
    return not field.has_presence


def _keywords(layer: str, golden: LayerParameter, ours: LayerParameter) -> Iterator[FieldDifference]:
    """A Python layer's keywords one by one."""
    want, have = read_param_str(golden), read_param_str(ours)
    for key in dict.fromkeys([*want, *have]):
        if want.get(key) != have.get(key):
            yield FieldDifference(layer, f"param_str {key}", str(want.get(key)), str(have.get(key)))


def _plain(field: Any, value: Any) -> str:
    """A value in print, an enum by its name."""
    values = list(value) if _repeats(field) else [value]
    if field.enum_type is not None:
        values = [field.enum_type.values_by_number[v].name for v in values]
    return " ".join(map(_printed, values)) or "none"


def _printed(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.7g}"
    return " ".join(str(value).split())


def _config(golden: Config, ours: Config) -> Iterator[FieldDifference]:
    for key in dict.fromkeys([*golden.keys(), *ours.keys()]):
        if golden[key] != ours[key]:
            yield FieldDifference("", key, str(golden[key]), str(ours[key]))
