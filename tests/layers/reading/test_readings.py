"""The readings are themselves judged by Caffe: every fixture whose layers all have one, blob by blob."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recaffe.golden import Fixture
from recaffe.layers import registered
from recaffe.prototxt.net import Net
from recaffe.prototxt.text import read_net

from . import READINGS, Array, Given, batch_norm_after, phase_of, read, rounded

FOLDER = Path(__file__).parents[3] / "golden" / "fixtures"
PATHS = {
    f"{path.parent.name}/{path.stem}": path for room in ("layers", "random") for path in FOLDER.glob(f"{room}/*.npz")
}
SOURCES = {"Data", "DummyData", "HDF5Data", "ImageData", "Input", "MemoryData", "WindowData"}


def has_draws(net: Net) -> bool:
    text = [(node.type, str(node.message)) for node in net.nodes]
    return any("STOCHASTIC" in message or (kind == "Dropout" and net.phase == "TRAIN") for kind, message in text)


def test_every_type_that_computes_has_a_reading() -> None:
    assert READINGS.keys() == {name for name in registered() if "." not in name} - SOURCES - {"HDF5Output"}


def params_of(net: Net, fixture: Fixture) -> dict[tuple[str, int], Array]:
    """A layer's params, also those that it shares and another one owns."""
    found = {}
    for param in net.param_list:
        layers = [(layer, index) for layer, (_, index) in zip(param.layers, param.places, strict=True)]
        value = np.float64(next(fixture.params[place] for place in layers if place in fixture.params))
        found |= {(layer, i): value.reshape(net.layer(layer).param_shapes[i]) for layer, i in layers}
    return found


@pytest.mark.parametrize("name", PATHS)
def test_as_caffe(name: str) -> None:
    fixture = Fixture.load(PATHS[name])
    net = Net(read_net(fixture.prototxt), fixture.phase, folder=FOLDER / "layers")
    if has_draws(net) or not {node.type for node in net.nodes} <= READINGS.keys() | SOURCES:
        pytest.skip("draws random numbers")
    params = params_of(net, fixture)
    values = {blob: np.float64(value) for blob, value in (fixture.tops | fixture.bottoms).items()}
    for node in net.nodes:
        if node.type not in SOURCES:
            own = [params[node.name, i] for i in range(len(net.layer(node.name).param_shapes))]
            phase = phase_of(node.message, fixture.phase)
            given = Given(node.message, phase, [values[b] for b in node.bottoms], own, len(node.tops))
            # Rounded as Caffe's blobs are: a number too large for it must not come back.
            values |= {b: np.float64(rounded(top)) for b, top in zip(node.tops, read(given), strict=True)}
            after = batch_norm_after(given) if node.type == "BatchNorm" else own
            for i, param in enumerate(after):
                agree(param, fixture.post.get((node.name, i), rounded(param)), 1e-5, f"{node.name}/{i}")
    limit = 1e-4 if name.startswith("random/chain") else 1e-5
    for blob, want in fixture.tops.items():
        agree(values[blob], want, limit, blob)


def agree(reading: Array, want: Array, limit: float, what: str) -> None:
    have = rounded(reading)
    assert have.shape == want.shape, what
    finite = np.isfinite(want)
    assert np.array_equal(have[~finite], want[~finite], equal_nan=True), what
    worst = np.abs(have[finite] - want[finite]).max(initial=0)
    assert worst <= limit * np.abs(want[finite]).max(initial=0), what
