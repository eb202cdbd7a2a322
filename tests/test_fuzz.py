"""Random small nets: what is predicted of the shapes is what is computed, and every diff is finite."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from recaffe.layers.absval import AbsValLayer
from recaffe.layers.base.registry import layer_class, registered
from recaffe.prototxt.caffe_pb2 import LayerParameter, NetParameter
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import print_text, read_net

Shape = tuple[int, ...]
XAVIER = {"type": "xavier"}


@dataclass(frozen=True)
class Recipe:
    """How a layer stands on a blob: of how many axes, its fields, its other bottoms as shapes filled with a number.

    Both are given the blob's shape and `of`, which draws one of several.
    """

    fields: Callable[[Shape, Any], dict[str, Any]] = lambda shape, of: {}
    others: Callable[[Shape], list[tuple[Shape, float]]] = lambda shape: []
    axes: range = range(1, 6)
    twice: bool = False
    """Whether the blob is its second bottom too."""
    tops: int = 1
    in_place: bool = False


def sliding(shape: Shape, of: Any) -> dict[str, Any]:
    kernel = [of(range(1, min(4, length + 1))) for length in shape[2:]]
    return {"kernel_size": kernel, "stride": [of((1, 2))], "pad": [0]}


def convolving(shape: Shape, of: Any) -> dict[str, Any]:
    group = of((1, shape[1]))
    return {
        "convolution_param": {**sliding(shape, of), "num_output": 2 * shape[1], "group": group, "weight_filler": XAVIER}
    }


def pooling(shape: Shape, of: Any) -> dict[str, Any]:
    kernel = of(range(1, 1 + min(3, *shape[2:])))
    # With a stride above the kernel a last window may lie beyond an unpadded plane, see nothing, and be NaN in Caffe
    # (AVE: 0 / 0) or the lowest float (MAX). A convolution counts its windows rounding down: each sees something.
    stride = of(range(1, 1 + min(2, kernel)))
    return {"pooling_param": {"pool": of(("MAX", "AVE")), "kernel_size": kernel, "stride": stride}}


def recurrent(shape: Shape, of: Any) -> dict[str, Any]:
    return {"recurrent_param": {"num_output": of((2, 5)), "weight_filler": XAVIER}}


def smaller(shape: Shape) -> Shape:
    return (*shape[:1], *(max(1, length - 1) for length in shape[1:]))


ANY = Recipe(in_place=True)
IMAGE = range(4, 5)
DEEP = range(2, 6)
RECIPES: dict[str, Recipe] = {
    **dict.fromkeys(("AbsVal", "BNLL", "ELU", "ReLU", "Sigmoid", "TanH", "Dropout", "Swish"), ANY),
    "BatchNorm": Recipe(axes=DEEP, in_place=True),
    "BatchReindex": Recipe(others=lambda shape: [((3,), 0)]),
    "Bias": Recipe(lambda shape, of: {"bias_param": {"axis": of(range(len(shape)))}}),
    "Clip": Recipe(lambda shape, of: {"clip_param": {"min": -0.5, "max": 0.8}}),
    "Concat": Recipe(lambda shape, of: {"concat_param": {"axis": of(range(len(shape)))}}, twice=True),
    "ContrastiveLoss": Recipe(others=lambda shape: [(shape, 0.5), (shape[:1], 1)], axes=range(2, 3)),
    "Convolution": Recipe(convolving, axes=IMAGE),
    "Crop": Recipe(lambda shape, of: {"crop_param": {"axis": 1}}, lambda shape: [(smaller(shape), 0)], axes=DEEP),
    "Deconvolution": Recipe(convolving, axes=IMAGE),
    "Eltwise": Recipe(lambda shape, of: {"eltwise_param": {"operation": of(("SUM", "PROD", "MAX"))}}, twice=True),
    "EuclideanLoss": Recipe(others=lambda shape: [(shape, 0.5)]),
    "Exp": Recipe(lambda shape, of: {"exp_param": {"scale": 0.001}}),
    "Filter": Recipe(others=lambda shape: [(shape[:1], 1)]),
    "Flatten": Recipe(lambda shape, of: {"flatten_param": {"axis": of(range(len(shape)))}}),
    "HingeLoss": Recipe(others=lambda shape: [(shape[:1], 0)], axes=range(2, 3)),
    "Im2col": Recipe(lambda shape, of: {"convolution_param": sliding(shape, of)}, axes=IMAGE),
    "InfogainLoss": Recipe(others=lambda shape: [(shape[:1], 0), ((1, 1, shape[1], shape[1]), 1)], axes=range(2, 3)),
    "InnerProduct": Recipe(
        lambda shape, of: {
            "inner_product_param": {"num_output": 3, "axis": of(range(len(shape))), "weight_filler": XAVIER}
        }
    ),
    "LRN": Recipe(
        lambda shape, of: {"lrn_param": {"norm_region": of(("WITHIN_CHANNEL", "ACROSS_CHANNELS"))}}, axes=IMAGE
    ),
    "LSTM": Recipe(recurrent, lambda shape: [(shape[:2], 1)], axes=range(3, 6)),
    "MVN": Recipe(axes=IMAGE),
    "PReLU": Recipe(axes=DEEP),
    "PSROIPooling": Recipe(
        lambda shape, of: {"psroi_pooling_param": {"spatial_scale": 0.5, "output_dim": shape[1], "group_size": 1}},
        lambda shape: [((2, 5), 0)],
        axes=IMAGE,
    ),
    "Pooling": Recipe(pooling, axes=IMAGE),
    "Power": Recipe(lambda shape, of: {"power_param": {"power": of((1, 2)), "scale": -0.5, "shift": 0.3}}),
    "RNN": Recipe(recurrent, lambda shape: [(shape[:2], 1)], axes=range(3, 6)),
    "ROIPooling": Recipe(
        lambda shape, of: {"roi_pooling_param": {"pooled_h": 2, "pooled_w": 3}}, lambda shape: [((2, 5), 0)], axes=IMAGE
    ),
    "Reduction": Recipe(
        lambda shape, of: {"reduction_param": {"axis": of(range(1, len(shape))), "operation": of(("SUM", "ASUM"))}},
        axes=DEEP,
    ),
    "Reshape": Recipe(lambda shape, of: {"reshape_param": {"shape": {"dim": of(([-1], [0, -1], [1, -1, 1]))}}}),
    "SPP": Recipe(lambda shape, of: {"spp_param": {"pyramid_height": 1}}, axes=IMAGE),
    "Scale": Recipe(
        lambda shape, of: {"scale_param": {"axis": of(range(len(shape))), "bias_term": True}}, in_place=True
    ),
    "SigmoidCrossEntropyLoss": Recipe(others=lambda shape: [(shape, 1)]),
    "Slice": Recipe(lambda shape, of: {"slice_param": {"axis": 0, "slice_point": [1]}}, tops=2),
    "SmoothL1Loss": Recipe(lambda shape, of: {"loss_weight": [1]}, lambda shape: [(shape, 0.5)]),
    "SmoothL1LossOHEM": Recipe(lambda shape, of: {"loss_weight": [1]}, lambda shape: [(shape, 0.5)], axes=DEEP),
    "Softmax": Recipe(lambda shape, of: {"softmax_param": {"axis": of(range(len(shape)))}}),
    "SoftmaxWithLoss": Recipe(others=lambda shape: [((shape[0], 1, *shape[2:]), 0)], axes=DEEP),
    "SoftmaxWithLossOHEM": Recipe(others=lambda shape: [((shape[0], 1, *shape[2:]), 0)], axes=DEEP),
    "Split": Recipe(tops=2),
    "Tile": Recipe(lambda shape, of: {"tile_param": {"axis": of(range(len(shape))), "tiles": 2}}),
}
# What stands beside a type in a random net. A type that comes later is not added: every net would be another.
COMPANIONS = (
    *("AbsVal", "BNLL", "BatchNorm", "BatchReindex", "Bias", "Clip", "Concat", "ContrastiveLoss", "Convolution"),
    *("Crop", "Deconvolution", "Dropout", "ELU", "Eltwise", "EuclideanLoss", "Exp", "Filter", "Flatten"),
    *("HingeLoss", "Im2col", "InfogainLoss", "InnerProduct", "LRN", "LSTM", "MVN", "PReLU", "PSROIPooling"),
    *("Pooling", "Power", "RNN", "ROIPooling", "ReLU", "Reduction", "Reshape", "SPP", "Scale", "Sigmoid"),
    *("SigmoidCrossEntropyLoss", "Slice", "SmoothL1Loss", "SmoothL1LossOHEM", "Softmax", "SoftmaxWithLoss"),
    *("SoftmaxWithLossOHEM", "Split", "Swish", "TanH", "Tile"),
)
ELSEWHERE = {
    "Embed": "takes words, not what a layer computes",
    "LSTMUnit": "takes blobs of fitting lengths, which LSTM makes",
    "Log": "takes positive numbers",
    "MultinomialLogisticLoss": "takes probabilities",
    "Parameter": "takes no blob",
}
NO_DIFF = {"Accuracy", "ArgMax", "BoxAnnotatorOHEM", "Silence", "Threshold", "HDF5Output"}
NO_BOTTOM = {"Data", "DummyData", "HDF5Data", "ImageData", "Input", "MemoryData", "WindowData"}


def test_every_type_has_a_recipe_or_a_reason() -> None:
    typed = {name for name in registered() if "." not in name}
    assert RECIPES.keys() | ELSEWHERE.keys() | NO_DIFF | NO_BOTTOM == typed


class Sketch:
    """A net that grows layer by layer."""

    def __init__(self, shape: Shape) -> None:
        self.net = NetParameter(input=["data"], input_shape=[{"dim": shape}])
        # Its params learn, so that every layer behind it gets a diff.
        self.add("Scale", ["data"], 1, scale_param={"bias_term": True})

    def add(self, kind: str, bottoms: list[str], tops: int, in_place: bool = False, **fields: Any) -> None:
        name = f"{kind.lower()}{len(self.net.layer)}"
        names = bottoms[:1] if in_place else [f"{name}_{top}" for top in range(tops)]
        self.net.layer.append(LayerParameter(name=name, type=kind, bottom=bottoms, top=names, **fields))

    def constant(self, shape: Shape, value: float) -> str:
        dummy = {"shape": [{"dim": shape}], "data_filler": [{"type": "constant", "value": value}]}
        self.add("DummyData", [], 1, dummy_data_param=dummy)
        return str(self.net.layer[-1].top[0])

    def built(self) -> Net:
        return Net(read_net(print_text(self.net)), "TRAIN", seed=3)

    def blobs(self) -> dict[str, Shape]:
        """The blobs that a layer made from other blobs, without the losses."""
        made = {top for layer in self.net.layer if layer.bottom for top in layer.top}
        return {name: shape for name, shape in self.built().blob_shapes.items() if name in made and shape}

    def grow(self, kind: str, of: Any) -> None:
        """Set a layer on one of the blobs that suit it, if there is one."""
        recipe = RECIPES[kind]
        fitting = {name: shape for name, shape in self.blobs().items() if len(shape) in recipe.axes}
        if kind == "Slice":
            fitting = {name: shape for name, shape in fitting.items() if shape[0] > 1}
        if not fitting:
            return
        blob = of(sorted(fitting))
        others = [self.constant(*other) for other in recipe.others(fitting[blob])]
        bottoms = [blob, *([blob] if recipe.twice else []), *others]
        may = recipe.in_place and blob in self.built().outputs and not layer_class(kind).never_in_place
        in_place = may and of((True, False))
        self.add(kind, bottoms, recipe.tops, in_place, **recipe.fields(fitting[blob], of))

    def close(self) -> None:
        """Let every blob that nobody takes count into the loss."""
        for blob in sorted(self.blobs().keys() & set(self.built().outputs)):
            self.add("Reduction", [blob], 1, loss_weight=[1])


def random_net(kind: str, number: int) -> Sketch:
    """A net with a layer of this type and up to four others; it depends on the type's name and the number alone."""
    draw = random.Random(f"{kind} {number}")
    sketch = Sketch(tuple(draw.sample((2, 3, 4, 5, 6), 4)))
    if 4 not in RECIPES[kind].axes:
        sketch.add("Flatten", ["scale0_0"], 1)
    for name in (kind, *draw.choices(COMPANIONS, k=draw.randrange(5))):
        sketch.grow(name, lambda choices: draw.choice(list(choices)))
    sketch.close()
    return sketch


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("kind", RECIPES)
def test_a_random_net(kind: str, number: int) -> None:
    net = random_net(kind, number).built()
    assert kind in {node.type for node in net.nodes}
    net.fill()
    torch.manual_seed(2)
    net(data=torch.randn(net.blob_shapes["data"]), keep="all")
    assert {name: tuple(blob.shape) for name, blob in net.blobs.items()} == dict(net.blob_shapes)
    net.backward()
    finite = {name: bool(diff.isfinite().all()) for name, diff in net.diffs.items()}
    assert all(finite.values()), finite
    start = net.layer("scale0")
    assert all(param.grad is not None and param.grad.isfinite().all() for param in start.parameters())


@pytest.mark.parametrize("kind", ["Convolution", "Eltwise", "Pooling", "Tile"])
def test_a_new_type_leaves_the_nets_of_others_alone(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    nets = [print_text(random_net(kind, number).net) for number in range(4)]
    assert len(set(nets)) == 4
    known = dict(registered())
    for name in ("Aardvark", "Newt", "Zebra"):
        known[name] = type(name, (AbsValLayer,), {"type": name})
        monkeypatch.setitem(RECIPES, name, ANY)
    monkeypatch.setattr("recaffe.layers.base.registry._classes", known)
    assert "Newt" in registered()
    assert nets == [print_text(random_net(kind, number).net) for number in range(4)]
    random_net("Newt", 0).built()
