"""Which of a net's params a file fills."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from recaffe.prototxt.caffe_pb2 import BlobProto, BlobShape, NetParameter
from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.files.read import read_weights
from recaffe.prototxt.files.weights import Weights
from recaffe.prototxt.net import Allow
from recaffe.prototxt.net.match import Match, match

FORMATS = Path(__file__).parents[3] / "golden" / "fixtures" / "formats"
PLAIN = {"conv": [(4, 3, 3, 3), (4,)], "fc": [(5, 48), (5,)]}
LENET = {
    "conv1": [(4, 1, 3, 3), (4,)],
    "bn1": [(4,), (4,), (1,)],
    "scale1": [(4,), (4,)],
    "conv2": [(6, 2, 3, 3)],
    "relu2": [(6,)],
    "ip1": [(10, 96), (10,)],
    "ip2": [(96, 10), (96,)],
    "ip3": [(10, 96), (10,)],
}


@pytest.fixture
def weights(tmp_path: Path) -> Weights:
    """Layers a (2×3 and 2 values), a again, and b (3 values, NaN and infinity among them)."""
    net = NetParameter(name="two")
    for start in (0, 10):
        matrix = BlobProto(shape=BlobShape(dim=[2, 3]), data=range(start, start + 6))
        net.layer.add(name="a", blobs=[matrix, BlobProto(shape=BlobShape(dim=[2]), data=[1, 2])])
    net.layer.add(name="b", blobs=[BlobProto(shape=BlobShape(dim=[3]), data=[1, float("nan"), float("-inf")])])
    path = tmp_path / "two.caffemodel"
    path.write_bytes(net.SerializeToString())
    return read_weights(path)


def refusal(weights: Weights, params: dict[str, list[tuple[int, ...]]], allow: Allow = Allow()) -> str:
    with pytest.raises(PrototxtError) as error:
        match(weights, params, allow=allow)
    assert str(error.value).startswith(f"{weights.path}: ")
    assert "\n" not in str(error.value)
    return str(error.value).removeprefix(f"{weights.path}: ")


def test_all_params_of_a_net() -> None:
    found = match(read_weights(FORMATS / "lenet.caffemodel"), LENET)
    assert found.matched == list(LENET)
    assert (found.missing, found.unused, found.nonfinite) == ([], [], {})
    net = NetParameter.FromString((FORMATS / "lenet.caffemodel").read_bytes())
    blobs = {(layer.name, i): blob for layer in net.layer for i, blob in enumerate(layer.blobs)}
    assert set(found.tensors) == set(blobs)
    for (layer, i), tensor in found.tensors.items():
        assert tuple(tensor.shape) == LENET[layer][i]
        assert tensor.flatten().tolist() == list(blobs[layer, i].data)
    assert found.report() == f"{FORMATS}/lenet.caffemodel: 8 layer(s) matched, 15 param(s) read"


@pytest.mark.parametrize("name", ["wire_legacy", "wire_zero_shape_with_legacy", "wire_chunks"])
def test_tensors_have_the_nets_shapes(name: str) -> None:
    found = match(read_weights(FORMATS / f"{name}.caffemodel"), PLAIN, allow=Allow(unused=True))
    assert {place: tuple(tensor.shape) for place, tensor in found.tensors.items()} == {
        (layer, i): shape for layer, shapes in PLAIN.items() for i, shape in enumerate(shapes)
    }


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bad_legacy_bias_4d_shape", "layer 'conv', blob 1 is 1×1×1×4 in the file, 4 in the net (rename "),
        ("bad_same_count_other_axes", "layer 'conv', blob 0 is 4×27 in the file, 4×3×3×3 in the net (rename a "),
        ("bad_wrong_shape", "layer 'fc', blob 0 is 48×5 in the file, 5×48 in the net (rename a layer to keep it "),
        ("bad_too_few_blobs", "layer 'conv' has 1 blob(s) in the file, 2 in the net (rename a layer to keep it out "),
        ("bad_too_many_values", "layer 'fc', blob 1 holds 6 values, its shape 5 needs 5"),
        ("bad_missing_layer", "lacks layer(s) 'fc' (Allow(missing=True) leaves them to their fillers)"),
        ("wire_diff", "the net lacks its layer(s) 'nobody' (Allow(unused=True) leaves them out)"),
    ],
)
def test_what_does_not_fit_is_refused(name: str, message: str) -> None:
    assert refusal(read_weights(FORMATS / f"{name}.caffemodel"), PLAIN).startswith(message)


def test_every_misfit_is_counted(weights: Weights) -> None:
    message = refusal(weights, {"a": [(3, 2), (2,)], "b": [(3,), (3,)]})
    assert "layer 'a', blob 0 is 2×3 in the file, 3×2 in the net; and 2 more such (rename" in message


def test_flags_do_not_allow_a_misfit(weights: Weights) -> None:
    everything = Allow(missing=True, unused=True, nonfinite=True)
    assert "blob 0 is 3 in the file, 4 in the net" in refusal(weights, {"b": [(4,)]}, everything)


def test_weights_of_another_net(weights: Weights) -> None:
    others: dict[str, list[tuple[int, ...]]] = {f"conv{i}": [(7,)] for i in range(7)}
    assert refusal(weights, others) == (
        "lacks layer(s) 'conv0', 'conv1', 'conv2', 'conv3', 'conv4' and 2 more "
        "(Allow(missing=True) leaves them to their fillers); no layer at all matches: weights of another net?"
    )


def test_of_layers_with_one_name_the_last_counts(weights: Weights) -> None:
    found = match(weights, {"a": [(2, 3), (2,)]}, allow=Allow(unused=True))
    assert torch.equal(found.tensors["a", 0], torch.arange(10.0, 16.0).view(2, 3))
    assert found.matched == ["a"]


def test_values_that_are_not_finite(weights: Weights) -> None:
    params = {"a": [(2, 3), (2,)], "b": [(3,)]}
    assert (
        refusal(weights, params)
        == "NaN or infinite: 2 value(s) of layer 'b', blob 0 (Allow(nonfinite=True) takes them)"
    )
    found = match(weights, params, allow=Allow(nonfinite=True))
    assert found.nonfinite == {("b", 0): 2}
    assert found.tensors["b", 0].isnan().tolist() == [False, True, False]


def test_large_finite_values_are_fine(tmp_path: Path) -> None:
    net = NetParameter()
    net.layer.add(name="a", blobs=[BlobProto(shape=BlobShape(dim=[4]), data=[3e38, 3e38, -3e38, 1])])
    path = tmp_path / "large.caffemodel"
    path.write_bytes(net.SerializeToString())
    assert match(read_weights(path), {"a": [(4,)]}).nonfinite == {}


def test_layers_without_params_are_neither_missing_nor_unused() -> None:
    params = {**PLAIN, "silent": []}
    found = match(read_weights(FORMATS / "wire_diff.caffemodel"), params, allow=Allow(unused=True))
    assert (found.missing, found.unused) == ([], ["nobody"])


def test_the_report_tells_what_was_allowed(weights: Weights) -> None:
    found = match(weights, {"b": [(3,)], "c": [(7,)]}, allow=Allow(missing=True, unused=True, nonfinite=True))
    assert isinstance(found, Match)
    assert found.report().splitlines() == [
        f"{weights.path}: 1 layer(s) matched, 1 param(s) read",
        "  not in the file: 'c'",
        "  not in the net: 'a'",
        "  NaN or infinite: 2 value(s) of layer 'b', blob 0",
    ]
