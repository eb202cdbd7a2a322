"""The settings of data layers that Caffe dies of: each ends in one line here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recaffe.layers.base.layer import LayerError
from recaffe.layers.memory_data import MemoryDataLayer
from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import read_net

FOLDER = Path(__file__).parents[2] / "golden" / "fixtures" / "data_layers"
CASES: dict[str, dict[str, Any]] = json.loads((FOLDER / "errors.json").read_text())


def test_there_are_cases() -> None:
    assert len(CASES) == 28


def run(name: str, folder: Path) -> None:
    """Build a case's net and run it twice."""
    net = Net(read_net(CASES[name]["prototxt"]), CASES[name]["phase"], folder=folder)
    for layer in net.layers.values():
        if isinstance(layer, MemoryDataLayer) and name != "memory_without_data":
            layer.set_input_arrays(np.zeros((6, 3, 4, 5)), np.zeros(6))
    for _ in range(2):
        net({blob: np.zeros(net.blob_shapes[blob]) for blob in net.inputs})


@pytest.mark.parametrize("name", CASES)
def test_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "inputs").symlink_to(FOLDER / "inputs")
    with pytest.raises((LayerError, PrototxtError)) as error:
        run(name, tmp_path)
    assert "\n" not in str(error.value)
