"""Values on their way from one file to another: the same that a net would load."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recaffe.prototxt.export.net_params import find_blobs, params_of
from recaffe.prototxt.files.layer_params import LayerParams
from recaffe.prototxt.files.read import read_weights
from recaffe.prototxt.net import Allow
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import read_net

FIXTURES = Path(__file__).parents[3] / "golden" / "fixtures"
FORMATS = FIXTURES / "formats"


def values(layers: list[LayerParams]) -> dict[tuple[str, int], bytes]:
    return {
        (layer.key, i): b"".join(piece.tobytes() for piece in param.pieces())
        for layer in layers
        for i, param in enumerate(layer.params)
    }


@pytest.mark.parametrize(
    ("net", "weights"),
    [
        ("lenet.prototxt", "lenet.caffemodel"),
        ("lenet.prototxt", "lenet.caffemodel.h5"),
        ("lenet.prototxt", "lenet.npz"),
        *(("plain.prototxt", f"wire_{kind}.caffemodel") for kind in ("double", "chunks", "unpacked", "legacy")),
    ],
)
def test_values_are_those_that_a_net_loads(net: str, weights: str) -> None:
    built = Net(read_net(FORMATS / net))
    found, blobs = find_blobs(built, read_weights(FORMATS / weights), allow=Allow(unused=True))
    loaded = Net.from_prototxt(FORMATS / net, weights=FORMATS / weights, allow=Allow(unused=True))
    assert values(params_of(built, blobs)) == values(params_of(loaded))
    assert values(params_of(loaded))
    assert all(param.is_meta for param in built.parameters())
    assert found.unused == ([] if net == "lenet.prototxt" else ["nobody"])


def test_a_file_is_read_in_pieces() -> None:
    count = (1 << 18) + 3
    net = Net(
        read_net(
            f"layer {{ name: 'x' type: 'Input' top: 'x' input_param {{ shape {{ dim: 2 dim: {count} }} }} }}\n"
            "layer { name: 'y' type: 'InnerProduct' bottom: 'x' top: 'y' inner_product_param { num_output: 1 } }"
        )
    )
    net.fill()
    (param, _) = params_of(net)[1].params
    assert [piece.shape for piece in param.pieces()] == [(count,)]


def test_a_shared_param_goes_to_all_its_layers() -> None:
    net = Net(read_net(FORMATS / "lenet.prototxt"))
    _, blobs = find_blobs(net, read_weights(FORMATS / "lenet.caffemodel.h5"))  # has it under its owner alone
    layers = {layer.name: layer for layer in params_of(net, blobs)}
    assert [param.shared for param in layers["ip1"].params] == [False, False]
    assert [param.shared for param in layers["ip3"].params] == [True, False]
    assert np.array_equal(layers["ip3"].params[0].array(), layers["ip1"].params[0].array())


def test_a_layer_without_all_its_values_is_left_out() -> None:
    net = Net(read_net(FORMATS / "lenet.prototxt"))
    _, blobs = find_blobs(net, read_weights(FORMATS / "lenet.caffemodel"))
    position = [node.name for node in net.nodes].index("conv1")
    del blobs[position, 1]
    names = [node.name for node in net.nodes]
    assert [layer.name for layer in params_of(net, blobs)] == [name for name in names if name != "conv1"]
