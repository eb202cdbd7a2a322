"""The param_str of Python layers: a YAML mapping, read and changed in place."""

from __future__ import annotations

from typing import Any

import yaml

from ..caffe_pb2 import LayerParameter
from .config import YamlLoader, load_yaml


def read_param_str(layer: LayerParameter) -> dict[str, Any]:
    """The keywords of a Python layer."""
    text = layer.python_param.param_str
    try:
        value = load_yaml(text) or {}
    except yaml.YAMLError as error:
        raise _refused(f"param_str {text!r} is not YAML: {error}") from error
    if not isinstance(value, dict):
        raise _refused(f"param_str {text!r} is not a mapping such as \"'feat_stride': 16\"")
    return {str(key): item for key, item in value.items()}


def _refused(told: str) -> ValueError:
    from ...layers import LayerError  # here, as it brings torch, and the command line reads our lists without it

    return LayerError(told)


def write_param_str(layer: LayerParameter, key: str, value: object) -> None:
    """Set one keyword of a Python layer and leave the rest of the text as it is."""
    read_param_str(layer)  # it refuses what is no mapping
    text = layer.python_param.param_str
    root = yaml.compose(text, YamlLoader)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    for name, node in pairs:
        if name.value == key:
            start, end = node.start_mark.index, node.end_mark.index
            old = text[start:end]
            # What is written as a block begins on a line of its own and ends where the next key begins.
            indent = " " * (old != old.rstrip())
            layer.python_param.param_str = f"{text[:start]}{indent}{value}{old[len(old.rstrip()) :]}{text[end:]}"
            return
    if isinstance(root, yaml.MappingNode) and root.flow_style:
        end = root.end_mark.index - 1
        layer.python_param.param_str = f"{text[:end]}, '{key}': {value}{text[end:]}"
        return
    # The key is in the column of those before it.
    indent = " " * pairs[0][0].start_mark.column if pairs else ""
    layer.python_param.param_str = f"{text.rstrip()}\n{indent}'{key}': {value}".lstrip("\n")
