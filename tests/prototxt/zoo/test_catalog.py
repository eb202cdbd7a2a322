"""Every net of the zoo beside the original that it stands for: names, wiring, shapes, multipliers, fillers."""

from __future__ import annotations

import json
import lzma
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recaffe.prototxt.caffe_pb2 import LayerParameter, NetParameter
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.config import Config
from recaffe.prototxt.text.read import print_text, read_net
from recaffe.prototxt.zoo.catalog import MODELS, ZooError, make_net
from recaffe.prototxt.zoo.rpn import DATASETS, DetectionTask
from recaffe.prototxt.zoo.solvers import make_solver

FILE = Path(__file__).parents[3] / "golden" / "fixtures" / "zoo" / "originals.json.xz"
ORIGINALS: dict[str, Any] = json.loads(lzma.decompress(FILE.read_bytes()))["nets"]


def made(key: str) -> NetParameter:
    """The zoo's net of a key such as "vgg16 end2end TRAIN voc 21", read as from a file."""
    model, scheme, phase, dataset, classes = key.split()
    message = make_net(model, scheme, phase, replace(DATASETS[dataset], classes=int(classes)))
    return read_net(print_text(message)).net


def multipliers(layer: LayerParameter) -> list[list[float]]:
    return [[spec.lr_mult, spec.decay_mult] for spec in layer.param]


def filler(layer: LayerParameter) -> list[object]:
    fillers = [
        m.weight_filler for m in (layer.convolution_param, layer.inner_product_param) if m.HasField("weight_filler")
    ]
    return [[f.type, pytest.approx(f.std)] for f in fillers]


def test_every_net_of_the_zoo_has_an_original() -> None:
    kinds = {(model, scheme, phase) for model in MODELS for scheme in MODELS[model] for phase in MODELS[model][scheme]}
    have = {tuple(key.split()[:3]) for key in ORIGINALS}
    ours = {kind for kind in kinds if kind[1] == "class-aware" or kind[1:] == ("class-aware-ohem", "TEST")}
    ours |= {kind for kind in kinds if kind[1:] == ("end2end-ohem", "TEST")}  # the same net as end2end's
    ours |= {kind for kind in kinds if kind[0].startswith("small")}
    stages = {kind for kind in kinds if kind[2] == "TEST" and kind[1].startswith("stage")}  # one for several stages
    assert kinds - have - ours - stages == set()
    assert len(ORIGINALS) == 72


@pytest.mark.parametrize("key", ORIGINALS)
def test_layers_learn_and_start_as_the_originals(key: str) -> None:
    layers, want = made(key).layer, ORIGINALS[key]
    assert [[layer.name, layer.type, [*layer.bottom], [*layer.top]] for layer in layers] == want["layers"]
    assert {layer.name: multipliers(layer) for layer in layers if layer.param} == want["multipliers"]
    assert {layer.name: filler(layer)[0] for layer in layers if filler(layer)} == want["fillers"]


@pytest.mark.parametrize("key", [key for key, want in ORIGINALS.items() if "blobs" in want])
def test_old_weights_fit(key: str) -> None:
    want = ORIGINALS[key]
    net = Net(read_net(print_text(made(key))), key.split()[2], config=Config.default(want["variant"]))
    assert {name: list(shape) for name, shape in net.blob_shapes.items()} == want["blobs"]
    assert {name: [list(s) for s in shapes] for name, shapes in net.param_shapes.items()} == want["params"]
    assert [list(net.inputs), list(net.outputs)] == [want["inputs"], want["outputs"]]


def test_any_number_of_classes_and_anchors() -> None:
    task = DetectionTask(classes=4, scales=(2, 8.5), ratios=(0.5, 1, 2, 3))
    for model, scheme in (("zf", "end2end"), ("resnet50", "class-aware-ohem")):
        text = print_text(make_net(model, scheme, "TRAIN", task))
        net = Net(read_net(text), "TRAIN", config=Config.default("rfcn" if model == "resnet50" else "frcnn"))
        assert net.param_shapes["rpn_cls_score"][0][0] == 2 * 8
        assert net.param_shapes["rpn_bbox_pred"][0][0] == 4 * 8
        assert net.blob_shapes["cls_score"][:2] == (1, 4)
        assert net.blob_shapes["bbox_pred"][:2] == (1, 16)
        assert net.blob_shapes["rpn_bbox_targets"] == net.blob_shapes["rpn_bbox_pred"]


def test_the_small_net_is_small_and_starts_from_nothing() -> None:
    net = Net.from_prototxt(
        print_text(make_net("small", "end2end", "TRAIN", DetectionTask(classes=6, scales=(2, 4, 6)))), "TRAIN"
    )
    assert sum(param.numel() for param in net.parameters()) * 4 < 10**6
    started = {name: float(layer.params[0].detach().std()) for name, layer in net.layers.items() if layer.param_shapes}
    assert all(started.values())
    assert started["conv1"] < 0.01  # pixels are not scaled
    solver = make_solver("small")
    assert (solver.snapshot_prefix, solver.clip_gradients) == ("small_faster_rcnn", 10)


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(ZooError, match=r"no model 'vgg19' in the zoo \(known: vgg16, zf, "):
        make_net("vgg19")
    with pytest.raises(ZooError, match=r"zf has no scheme 'alt-opt' \(known: end2end, fast-rcnn, "):
        make_net("zf", "alt-opt")
    with pytest.raises(ZooError, match="zf stage1-fast-rcnn has no TEST net: its weights go into the next stage"):
        make_net("zf", "stage1-fast-rcnn")
