"""py-faster-rcnn's configuration: its keys, its defaults, its YAML files, as frozen dataclasses that are passed along.

Keys are written as the originals write them, `TRAIN.RPN_NMS_THRESH`. Two things differ from the originals on purpose:
USE_GPU_NMS is off by default (their CPU rule decides which boxes fall, see `layers.nms`), and a float may be given as
an integer.
"""

from __future__ import annotations

import ast
import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ...nearest import did_you_mean
from ..errors import PrototxtError
from .config_keys import Test, Train

VARIANTS = ("frcnn", "rfcn")


class ConfigError(PrototxtError):
    """A configuration key or value cannot be used."""


@dataclass(frozen=True)
class Config:
    """Every key; VARIANT tells py-faster-rcnn's configuration (frcnn) from py-R-FCN's (rfcn), which has five keys more.

    In frcnn those five cannot be set, and read as their defaults.
    """

    TRAIN: Train = field(default_factory=Train)
    TEST: Test = field(default_factory=Test)
    DEDUP_BOXES: float = 1 / 16
    PIXEL_MEANS: tuple[float, float, float] = (102.9801, 115.9465, 122.7717)
    RNG_SEED: int = 3
    EPS: float = 1e-14
    ROOT_DIR: str = "."
    DATA_DIR: str = "data"
    MODELS_DIR: str = "models/pascal_voc"
    MATLAB: str = "matlab"
    EXP_DIR: str = "default"
    USE_GPU_NMS: bool = False
    GPU_ID: int = 0
    VARIANT: str = "frcnn"

    @classmethod
    def default(cls, variant: str = "frcnn") -> Config:
        """The originals' defaults."""
        if variant not in VARIANTS:
            raise ConfigError(f"unknown variant {variant!r}: frcnn is py-faster-rcnn, rfcn is py-R-FCN")
        return cls(VARIANT=variant)

    def __getitem__(self, key: str) -> Any:
        """The value of a key such as `TRAIN.SCALES`, `EXP_DIR` or `VARIANT`."""
        if key == "VARIANT":
            return self.VARIANT
        if key not in _defaults():
            raise ConfigError(_unknown(key))
        section, _, name = key.rpartition(".")
        return getattr(getattr(self, section) if section else self, name)

    def keys(self) -> list[str]:
        """The keys that this variant has."""
        return [key for key in _defaults() if self.VARIANT == "rfcn" or key not in _RFCN]

    def merged(self, mapping: Mapping[str, Any], source: str = "config") -> Config:
        """This configuration with some values replaced; sections are nested mappings, as in the YAML files."""
        return self.with_flat(dict(_flatten(mapping, source)), source)

    def with_flat(self, values: Mapping[str, Any], source: str = "config") -> Config:
        """The same from full keys: `{"TRAIN.SCALES": [400]}`."""
        sections: dict[str, dict[str, Any]] = {"": {}, "TRAIN": {}, "TEST": {}}
        for key, value in values.items():
            section, _, name = key.rpartition(".")
            checked = self._checked(key, value, source)
            sections[section][name] = checked
        train = dataclasses.replace(self.TRAIN, **sections["TRAIN"])
        test = dataclasses.replace(self.TEST, **sections["TEST"])
        return dataclasses.replace(self, TRAIN=train, TEST=test, **sections[""])

    def with_yaml(self, path: str | Path) -> Config:
        """This configuration with a YAML file merged into it."""
        try:
            content = load_yaml(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: cannot be read: {error}") from error
        except yaml.YAMLError as error:
            raise ConfigError(f"{path}: is not YAML: {error}") from error
        if content is None:
            return self
        if not isinstance(content, dict):
            raise ConfigError(f"{path}: is not a mapping of keys to values, such as EXP_DIR: mine")
        return self.merged(content, str(path))

    def with_set(self, pairs: Sequence[str], source: str = "with_set") -> Config:
        """This configuration with `KEY VALUE ...` from a command line; a value is a Python literal, else text.

        `source` is where they come from, for errors.
        """
        if len(pairs) % 2:
            raise ConfigError(f"{source} takes keys and values in turn: {pairs[-1]!r} has no value")
        values = {key: _literal(value) for key, value in zip(pairs[::2], pairs[1::2], strict=True)}
        return self.with_flat(values, source)

    def _checked(self, key: str, value: Any, source: str) -> Any:
        """A value in its key's type, or the reason why not."""
        if key not in _defaults():
            raise ConfigError(f"{source}: {_unknown(key)}")
        if key in _RFCN and self.VARIANT != "rfcn":
            raise ConfigError(f"{source}: {key} is py-R-FCN's; use the variant rfcn")
        default = _defaults()[key]
        if not isinstance(default, tuple):
            return _scalar(key, value, type(default), source)
        items = _innermost(value) if key == "PIXEL_MEANS" else value
        least, most = (1, math.inf) if key in _FREE else (len(default), len(default))
        if not isinstance(items, list | tuple) or not least <= len(items) <= most:
            count = least if least == most else f"{least} or more"
            raise ConfigError(f"{source}: {key} wants a list of {count} {type(default[0]).__name__}, got {value!r}")
        return tuple(_scalar(key, item, type(default[0]), source) for item in items)


def variant_of(types: Iterable[str], file: str = "") -> str:
    """Whose net it is: py-R-FCN's where a layer type is known to its Caffe alone, or where the file lies among its own.

    py-R-FCN ships py-faster-rcnn's prototxts unchanged and runs them with its own Python layers.
    """
    in_checkout = any(part.lower().startswith("py-r-fcn") for part in Path(file).resolve().parts)
    return "rfcn" if in_checkout or not _RFCN_TYPES.isdisjoint(types) else "frcnn"


class YamlLoader(yaml.SafeLoader):
    """Plain YAML and the one Python tag that old files use."""


def load_yaml(text: str) -> Any:
    """What YAML text holds; a YAMLError in one line says what is wrong with it."""
    try:
        return yaml.load(text, YamlLoader)
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, RecursionError) as error:
        # A value that does not fit its tag, such as !!int of no number, fails as Python's own functions do.
        told = " ".join(str(error).split())
        raise yaml.YAMLError(told if isinstance(error, yaml.YAMLError) else f"a value is faulty ({told})") from error


def _tuple(loader: YamlLoader, node: yaml.SequenceNode) -> tuple[Any, ...]:
    return tuple(loader.construct_sequence(node, deep=True))


YamlLoader.add_constructor("tag:yaml.org,2002:python/tuple", _tuple)

_RFCN_TYPES = frozenset({"PSROIPooling", "BoxAnnotatorOHEM", "SoftmaxWithLossOHEM", "SmoothL1LossOHEM"})
_FREE = frozenset({"TRAIN.SCALES", "TEST.SCALES"})
_RFCN = frozenset(
    {"TRAIN.AGNOSTIC", "TEST.AGNOSTIC"} | {f"TRAIN.RPN_NORMALIZE_{name}" for name in ("TARGETS", "MEANS", "STDS")}
)


@cache
def _defaults() -> dict[str, Any]:
    """Every key of both variants and its default."""
    plain = dataclasses.asdict(Config())
    del plain["VARIANT"]
    return dict(_flatten(plain, "defaults"))


def _flatten(mapping: Mapping[str, Any], source: str) -> Iterator[tuple[str, Any]]:
    for key, value in mapping.items():
        if key not in ("TRAIN", "TEST"):
            yield str(key), value
            continue
        if not isinstance(value, Mapping):
            raise ConfigError(f"{source}: {key} is a section of keys, got {value!r}")
        yield from ((f"{key}.{name}", item) for name, item in value.items())


def _scalar(key: str, value: Any, kind: type, source: str) -> Any:
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind or value != value:  # NaN is unequal to itself
        raise ConfigError(f"{source}: {key} wants {kind.__name__}, got {type(value).__name__} {value!r}")
    return value


def _innermost(value: Any) -> Any:
    """The originals wrap the pixel means in two more lists."""
    while isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    return value


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _unknown(key: str) -> str:
    return f"unknown key {key!r}{did_you_mean(key, _defaults(), 0.5)}"
