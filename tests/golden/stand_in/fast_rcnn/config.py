"""A stand-in for py-faster-rcnn's config: a tree of dictionaries whose keys are attributes, too."""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from recaffe.prototxt.text.config import Config


class Section(dict[str, Any]):
    __getattr__ = dict.__getitem__
    __setattr__ = dict.__setitem__


def _merge(mapping: Mapping[str, Any], section: Section) -> None:
    for key, value in mapping.items():
        if isinstance(value, dict):
            _merge(value, section.setdefault(key, Section()))
        else:
            section[key] = value


cfg = Section(TRAIN=Section(), TEST=Section())
_default = Config()
for _key in _default.keys():  # noqa: SIM118 - it is no dict
    _section, _, _name = _key.rpartition(".")
    (cfg[_section] if _section else cfg)[_name] = _default[_key]
cfg.PIXEL_MEANS = np.array([[[102.9801, 115.9465, 122.7717]]])
cfg.USE_GPU_NMS = True


def cfg_from_file(path: str) -> None:
    _merge(yaml.safe_load(Path(path).read_text()), cfg)


def cfg_from_list(words: list[str]) -> None:
    for key, value in zip(words[::2], words[1::2], strict=True):
        section, _, name = key.rpartition(".")
        (cfg[section] if section else cfg)[name] = literal_eval(value)
