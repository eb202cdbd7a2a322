"""ONNX models give Caffe's own blobs in onnxruntime, layer by layer and as whole nets."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from recaffe.golden.compare import compare_blob
from recaffe.golden.errors import GoldenError
from recaffe.golden.fixture import Fixture
from recaffe.golden.limits import FORWARD, WHOLE, discrete_blobs
from recaffe.golden.proof.onnx_run import OnnxRun
from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.export.onnx.drawing import onnx_model, write_onnx
from recaffe.prototxt.export.onnx.writers import WRITERS
from recaffe.prototxt.net.fold import fold
from recaffe.prototxt.net.graph import Node
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.config import Config
from recaffe.prototxt.text.read import read_net

FIXTURES = Path(__file__).parents[3] / "golden" / "fixtures"
LAYERS = {path.stem: path for path in sorted((FIXTURES / "layers").glob("*.npz"))}
NETS = ("frcnn_test", "rfcn_test")
Blobs = dict[str, Tensor]


def net_of(fixture: Fixture) -> Net:
    config = Config.default(fixture.variant).with_flat(fixture.config)
    net = Net(read_net(fixture.prototxt), fixture.phase, config=config)
    net.fill({place: torch.from_numpy(np.array(value)) for place, value in fixture.params.items()})
    return net


def written(net: Net, folder: Path, folded: bool = False) -> OnnxRun:
    parts = fold(net.parts).parts if folded else net.parts
    path = folder / f"{len(list(folder.iterdir()))}.onnx"
    write_onnx(path, onnx_model(net.graph.name, parts, net.inputs, net.outputs))
    return OnnxRun(path)


def tensors(arrays: dict[str, np.ndarray]) -> Blobs:
    return {name: torch.from_numpy(np.array(value)) for name, value in arrays.items()}


def differing(net: Net, want: Blobs, have: dict[str, np.ndarray], limit: float) -> list[str]:
    results = (
        compare_blob(name, want[name].numpy(), blob, limit, exact=name in discrete_blobs(net))
        for name, blob in have.items()
        if name in want
    )
    return [str(result) for result in results if not result.ok]


def refused(net: Net) -> list[Node]:
    """Layers without an ONNX form, or whose draws have none."""
    draws = {"Dropout", "Pooling", "SPP"} if net.phase == "TRAIN" else set()
    return [node for node in net.nodes if node.type in WRITERS.refusals.keys() | draws]


@pytest.mark.parametrize("name", LAYERS)
def test_layer(name: str, tmp_path: Path) -> None:
    fixture = Fixture.load(LAYERS[name])
    net = net_of(fixture)
    try:
        model = written(net, tmp_path)
    except PrototxtError:
        assert refused(net)
        return
    tops = fixture.tops or fixture.forwards[0]
    want = tensors(fixture.bottoms | tops)
    found = model.chained(tensors(fixture.bottoms))
    assert {blob for blob in tops if "_split_" not in blob} <= found.keys() | set(net.inputs)
    assert differing(net, want, found, FORWARD) == []
    assert differing(net, want, model.alone(want), FORWARD) == []


def test_most_layers_have_a_form() -> None:
    nets = [net_of(Fixture.load(path)) for path in LAYERS.values()]
    assert sum(not refused(net) for net in nets) > 0.7 * len(nets)


@pytest.mark.parametrize("name", NETS)
def test_net(name: str, tmp_path: Path) -> None:
    fixture = Fixture.load(FIXTURES / "nets" / f"{name}.npz")
    net = net_of(fixture)
    model, feed, want = written(net, tmp_path), tensors(fixture.bottoms), tensors(fixture.bottoms | fixture.tops)
    found = model.chained(feed)
    assert {blob for blob in fixture.tops if "_split_" not in blob} <= found.keys()
    assert differing(net, want, found, WHOLE) == []
    assert differing(net, want, model.alone(want), FORWARD) == []


@pytest.mark.parametrize("name", NETS)
def test_another_picture(name: str, tmp_path: Path) -> None:
    """Of another size, a part of the fixture's or blank, BatchNorm folded: what the net gives."""
    picture = tensors(Fixture.load(FIXTURES / "nets" / f"{name}.npz").bottoms)["data"][:, :, 3:86, 7:110]
    net = Net.from_prototxt(FIXTURES / "nets" / f"{name}.prototxt", weights=FIXTURES / "nets" / f"{name}.caffemodel")
    model = written(net, tmp_path, folded=True)
    for data in (picture, torch.zeros(1, 3, 64, 80)):
        feed = {"data": data, "im_info": torch.tensor([[*map(float, data.shape[2:]), 1.0]])}
        with torch.no_grad():
            net(feed, keep="all")
        assert differing(net, dict(net.blobs), model.chained(feed), WHOLE) == []
        assert len(net.blobs["rois"]) > 10


@pytest.mark.parametrize("name", NETS)
def test_a_picture_without_regions(name: str, tmp_path: Path) -> None:
    net = Net.from_prototxt(FIXTURES / "nets" / f"{name}.prototxt", weights=FIXTURES / "nets" / f"{name}.caffemodel")
    feed = {"data": torch.zeros(1, 3, 64, 80), "im_info": torch.tensor([[64.0, 80.0, 1e4]])}
    found = written(net, tmp_path).chained(feed)
    assert found["rois"].shape == (0, 5)
    assert found["cls_prob"].shape[0] == found["bbox_pred"].shape[0] == 0


def small(tmp_path: Path) -> tuple[OnnxRun, Path]:
    text = "layer { name: 'in' type: 'Input' top: 'x' input_param { shape { dim: 2 dim: 3 } } }\n"
    for name, bottom, top in (("a", "x", "y"), ("b", "y", "y"), ("c", "y", "z")):
        text += f"layer {{ name: '{name}' type: 'Power' bottom: '{bottom}' top: '{top}' power_param {{ shift: 1 }} }}\n"
    net = Net.from_prototxt(text)
    return written(net, tmp_path), tmp_path / "0.onnx"


def test_alone_each_blob_follows_from_the_bottoms_that_are_handed_in(tmp_path: Path) -> None:
    run, _ = small(tmp_path)
    x = torch.zeros(2, 3)
    assert {name: float(blob.max()) for name, blob in run.chained({"x": x}).items()} == {"y": 2, "z": 3}
    blobs = {"x": x, "y": x + 10, "z": x - 7}
    assert {name: float(blob.max()) for name, blob in run.alone(blobs).items()} == {"y": 2, "z": 11}


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    run, path = small(tmp_path)
    with pytest.raises(GoldenError, match=f"^{path}: was not given its input 'x'$"):
        run.chained({})


def test_what_onnxruntime_says_is_one_line(tmp_path: Path) -> None:
    run, path = small(tmp_path)
    with pytest.raises(
        GoldenError, match=f"^{path}: onnxruntime cannot run it: .*Got invalid dimensions for input: x"
    ) as e:
        run.chained({"x": torch.zeros(2, 4)})
    assert "\n" not in str(e.value)


def test_large_weights_are_run_too(tmp_path: Path) -> None:
    """They lie beside the graph that is changed."""
    text = "layer { name: 'in' type: 'Input' top: 'x' input_param { shape { dim: 2 dim: 300 } } }\n"
    text += "layer { name: 'fc' type: 'InnerProduct' bottom: 'x' top: 'y' inner_product_param { num_output: 200 "
    net = Net.from_prototxt(text + "weight_filler { type: 'xavier' } } }")
    run, x = written(net, tmp_path), torch.randn(5, 300)
    (tmp_path / "0.onnx").unlink()
    with torch.no_grad():
        want = {"y": net(x=x)["y"]}
    assert differing(net, want, run.chained({"x": x}), FORWARD) == []


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_without_the_packages_the_way_out_is_told(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        GoldenError, match=r"^needs onnx and onnxruntime to run a model: pip install 'recaffe\[onnx\]'$"
    ):
        OnnxRun("net.onnx")


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "no.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(GoldenError, match=f"^{path}: is no ONNX model"):
        OnnxRun(path)
