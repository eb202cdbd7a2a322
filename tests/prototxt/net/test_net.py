import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from recaffe.layers import Layer, register
from recaffe.prototxt.net.blobs import BlobError
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.net.step import NetError

SMALL = """
name: "small"
layer { name: "data" type: "Input" top: "data" top: "label"
        input_param { shape { dim: 2 dim: 3 dim: 7 dim: 5 } shape { dim: 2 } } }
layer { name: "c.1" type: "Convolution" bottom: "data" top: "c" param { lr_mult: 0 } param { lr_mult: 0 }
        convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "gaussian" std: 0.3 } } }
layer { name: "relu" type: "ReLU" bottom: "c" top: "c" }
layer { name: "type" type: "InnerProduct" bottom: "c" top: "f"
        inner_product_param { num_output: 6 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "f" bottom: "label" top: "loss" loss_weight: 2 }
"""


def feed(batch: int = 2) -> dict[str, torch.Tensor]:
    data = torch.arange(batch * 3 * 7 * 5).reshape(batch, 3, 7, 5).sin()
    return {"data": data, "label": torch.arange(batch).float()}


def test_outputs_and_kept_blobs() -> None:
    net = Net.from_prototxt(SMALL, "TRAIN")
    outputs = net(**feed())
    assert list(outputs) == ["loss"]
    assert net.blobs["loss"].shape == ()
    with pytest.raises(BlobError, match="'c' was not kept"):
        net.blobs["c"]
    net(**feed(), keep=["c"])
    assert net.blobs["c"].shape == (2, 4, 5, 3)
    assert (net.blobs["c"] >= 0).all()
    assert "f" not in net.blobs
    with pytest.raises(BlobError, match="no blob 'losss'; did you mean 'loss'"):
        net.blobs["losss"]
    net(**feed(), keep="all")
    assert set(net.blobs) == {"data", "label", "c", "f", "loss"}


def test_shapes_are_known_without_memory() -> None:
    net = Net.from_prototxt(SMALL, "TRAIN")
    assert net.blob_shapes == {"data": (2, 3, 7, 5), "label": (2,), "c": (2, 4, 5, 3), "f": (2, 6), "loss": ()}
    assert net.param_shapes == {"c.1": [(4, 3, 3, 3), (4,)], "type": [(6, 60), (6,)]}


def test_a_batch_of_another_size_runs() -> None:
    net = Net.from_prototxt(SMALL, "TRAIN")
    net(**feed(5), keep="all")
    assert net.blobs["f"].shape == (5, 6)


def test_state_dict_is_in_caffes_order_and_loads() -> None:
    net, other = Net.from_prototxt(SMALL, "TRAIN", seed=1), Net.from_prototxt(SMALL, "TRAIN", seed=2)
    assert list(net.state_dict()) == ["c_1.0", "c_1.1", "type.0", "type.1"]
    assert not torch.equal(net.layer("type").params[0], other.layer("type").params[0])
    other.load_state_dict(net.state_dict())
    assert torch.equal(net(**feed())["loss"], other(**feed())["loss"])


def test_params_depend_on_seed_and_name_alone() -> None:
    one, same = (
        Net.from_prototxt(SMALL, "TRAIN", seed=1),
        Net.from_prototxt(SMALL.replace("c.1", "c2"), "TRAIN", seed=1),
    )
    assert torch.equal(one.layer("type").params[0], same.layer("type").params[0])
    assert not torch.equal(one.layer("c.1").params[0], same.layer("c2").params[0])


def test_diffs_follow_the_loss_weight_and_stop_at_frozen_params() -> None:
    net = Net.from_prototxt(SMALL, "TRAIN")
    net(**feed(), keep="all")
    net.backward()
    assert net.diffs["loss"] == 2
    assert net.diffs["f"].abs().sum() > 0
    assert not net.diffs["c"].any()
    frozen, learning = net.layer("c.1"), net.layer("type")
    assert [getattr(frozen, name).grad for name in "01"] == [None, None]
    once = learning.params[0].grad.clone()
    # As in Caffe, diffs of params add up.
    net(**feed(), keep="all")
    net.backward()
    torch.testing.assert_close(learning.params[0].grad, 2 * once)


def test_loss_is_weighted_and_trains_by_torch() -> None:
    net = Net.from_prototxt(SMALL, "TRAIN")
    optimizer = torch.optim.SGD((p for p in net.parameters() if p.requires_grad), lr=0.1)
    losses = []
    for _ in range(5):
        outputs = net(**feed())
        assert net.loss == 2 * outputs["loss"]
        optimizer.zero_grad()
        net.loss.backward()
        optimizer.step()
        losses.append(net.loss.item())
    assert losses == sorted(losses, reverse=True)


def test_the_first_version_of_an_in_place_blob_has_the_diff() -> None:
    text = SMALL.replace("param { lr_mult: 0 } param { lr_mult: 0 }", "")
    net = Net.from_prototxt(text, "TRAIN")
    net(**feed(), keep="all")
    net.backward()
    assert (net.diffs["c"][net.blobs["c"] == 0] == 0).all()
    assert net.diffs["c"].any()


def test_inputs_are_not_written_to() -> None:
    text = """layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 } } }
    layer { name: "relu" type: "ReLU" bottom: "data" top: "data" }"""
    net, data = Net.from_prototxt(text), torch.tensor([[-1.0, 2.0, -3.0], [4.0, -5.0, 6.0]])
    assert net(data=data)["data"].min() == 0
    assert data.min() == -5


@pytest.mark.parametrize(
    ("blobs", "message"),
    [
        ({}, "net 'small' was not given data (2×3×7×5), label (2)"),
        ({"image": np.zeros(3)}, "no input 'image' in net 'small': it takes data, label"),
        (
            {"data": np.zeros((3, 7, 5)), "label": np.zeros(2)},
            "input 'data' has 3 axes (3×7×5), in the prototxt 4 (2×3×7×5): their lengths may change, their number not",
        ),
    ],
)
def test_wrong_inputs_are_refused(blobs: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(NetError) as caught:
        Net.from_prototxt(SMALL, "TRAIN")(blobs)
    assert str(caught.value) == message


def test_wrong_lengths_are_refused_by_the_layer() -> None:
    net = Net.from_prototxt(SMALL, "TRAIN")
    with pytest.raises(NetError, match=r"<text>:5: layer 'c\.1' \(Convolution\): .*3 channels.*4"):
        net(data=np.zeros((2, 4, 7, 5)), label=np.zeros(2))


@pytest.mark.parametrize("type_", ["Reshape", "Flatten"])
def test_layers_that_share_memory_cannot_be_in_place(type_: str) -> None:
    layer = f'layer {{ name: "r" type: "{type_}" bottom: "f" top: "f" }}\n'
    text = SMALL.replace('layer { name: "loss"', f'{layer}layer {{ name: "loss"')
    with pytest.raises(NetError, match=f"'r' .{type_}.: cannot compute in place: give its top a name of its own"):
        Net.from_prototxt(text, "TRAIN")


def test_a_head_with_attributes_runs_for_any_number_of_rois() -> None:
    """As in bottom-up-attention: residual blocks for each RoI, the likeliest class embedded beside the features."""
    text = """
    layer { name: "in" type: "Input" top: "conv4" top: "rois"
            input_param { shape { dim: 1 dim: 3 dim: 17 dim: 23 } shape { dim: 1 dim: 5 } } }
    layer { name: "roi" type: "ROIPooling" bottom: "conv4" bottom: "rois" top: "pool4"
            roi_pooling_param { pooled_w: 14 pooled_h: 14 spatial_scale: 0.0625 } }
    layer { name: "branch1" type: "Convolution" bottom: "pool4" top: "branch1"
            convolution_param { num_output: 4 kernel_size: 1 stride: 2 weight_filler { type: "xavier" } } }
    layer { name: "bn1" type: "BatchNorm" bottom: "branch1" top: "branch1" batch_norm_param { use_global_stats: true } }
    layer { name: "branch2" type: "Convolution" bottom: "pool4" top: "branch2"
            convolution_param { num_output: 4 kernel_size: 3 pad: 1 stride: 2 weight_filler { type: "xavier" } } }
    layer { name: "sum" type: "Eltwise" bottom: "branch1" bottom: "branch2" top: "res5" }
    layer { name: "relu" type: "ReLU" bottom: "res5" top: "res5" }
    layer { name: "pool" type: "Pooling" bottom: "res5" top: "pool5"
            pooling_param { pool: AVE kernel_size: 7 stride: 1 } }
    layer { name: "flat" type: "Flatten" bottom: "pool5" top: "flat" }
    layer { name: "cls" type: "InnerProduct" bottom: "pool5" top: "cls"
            inner_product_param { num_output: 9 weight_filler { type: "gaussian" } } }
    layer { name: "best" type: "ArgMax" bottom: "cls" top: "best" argmax_param { axis: 1 } }
    layer { name: "embed" type: "Embed" bottom: "best" top: "embed"
            embed_param { num_output: 6 input_dim: 9 bias_term: false weight_filler { type: "gaussian" } } }
    layer { name: "flat2" type: "Flatten" bottom: "embed" top: "flat2" }
    layer { name: "concat" type: "Concat" bottom: "flat" bottom: "flat2" top: "both" }
    layer { name: "attr" type: "InnerProduct" bottom: "both" top: "attr" inner_product_param { num_output: 8 } }
    """
    net = Net.from_prototxt(text)
    net.layer("bn1").params[2].data.fill_(1)
    net.layer("bn1").params[1].data.fill_(1)
    corners = torch.tensor([[0.0, 0, 0, 200, 150], [0, 32, 48, 300, 260], [0, 5, 7, 60, 90]])
    features = torch.arange(3 * 17 * 23.0).reshape(1, 3, 17, 23).sin()
    assert net(conv4=features, rois=corners, keep="all")["attr"].shape == (3, 8)
    best = net.blobs["cls"].argmax(dim=1)
    torch.testing.assert_close(net.blobs["both"][:, 4:], net.layer("embed").params[0][best])


def test_an_input_without_axes() -> None:
    text = """layer { name: "x" type: "Input" top: "x" top: "s"
                      input_param { shape { dim: 2 dim: 3 } shape { } } }
    layer { name: "y" type: "Scale" bottom: "x" bottom: "s" top: "y" scale_param { axis: 0 } }"""
    assert Net.from_prototxt(text)(x=np.ones((2, 3)), s=np.float32(4))["y"].tolist() == [[4, 4, 4]] * 2


def test_labels_get_no_diff() -> None:
    text = SMALL + 'layer { name: "g" type: "InnerProduct" bottom: "c" top: "g" inner_product_param { num_output: 1 } }'
    text = text.replace('bottom: "f" bottom: "label"', 'bottom: "f" bottom: "g"').splitlines()
    text = [*text[:-2], text[-1], text[-2]]
    net = Net.from_prototxt("\n".join(text), "TRAIN")
    net(**feed())
    with pytest.raises(NetError, match=r"'loss'.*cannot give its bottom 1 .* a diff: say propagate_down: false"):
        net.backward()


def test_a_net_without_loss_wants_diffs() -> None:
    net = Net.from_prototxt(SMALL[: SMALL.index('layer { name: "loss"')] + "force_backward: true", "TEST")
    data = feed()["data"].requires_grad_()
    net(data=data, label=np.zeros(2), keep="all")
    with pytest.raises(NetError, match="has no loss to go backward from"):
        net.backward()
    with pytest.raises(NetError, match="blob 'f' is 2×6, its diff is 6×2"):
        net.backward({"f": np.zeros((6, 2))})
    net.backward({"f": np.ones((2, 6))})
    torch.testing.assert_close(net.diffs["data"], data.grad)


def test_a_python_layer_of_another_module_is_refused_until_registered() -> None:
    text = """layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 } } }
    layer { name: "mine" type: "Python" bottom: "data" top: "y"
            python_param { module: "mine" layer: "Twice" param_str: "{'by': 3, 'sizes': !!python/tuple [4, 8]}" } }"""
    with pytest.raises(NetError, match=r"<text>:2: layer 'mine' \(Python\): Python layer mine\.Twice is not known"):
        Net.from_prototxt(text)

    @register("mine.Twice")
    class TwiceLayer(Layer):
        def __init__(self, by: int, sizes: tuple[int, ...]) -> None:
            super().__init__()
            self.factor = by + len(sizes)

        def forward(self, *bottoms: torch.Tensor) -> tuple[torch.Tensor, ...]:
            return (bottoms[0] * self.factor,)

    try:
        assert Net.from_prototxt(text)(data=np.ones((2, 3)))["y"].tolist() == [[5, 5, 5]] * 2
        with pytest.raises(NetError, match="does not know size; it takes by, sizes"):
            Net.from_prototxt(text.replace("sizes", "size"))
    finally:
        from recaffe.layers.base import registry

        del registry._classes["mine.Twice"]


def test_memory_of_a_blob_ends_with_its_last_reader() -> None:
    layers = "".join(f'layer {{ name: "t{i}" type: "TanH" bottom: "t{i - 1}" top: "t{i}" }}\n' for i in range(1, 9))
    text = 'layer { name: "t0" type: "Input" top: "t0" input_param { shape { dim: 2 dim: 3 } } }\n' + layers
    net = Net.from_prototxt(text)
    made: list[weakref.ref[Tensor]] = []
    alive: list[int] = []

    def count(layer: Layer, bottoms: object, tops: tuple[Tensor, ...]) -> None:
        alive.append(sum(blob() is not None for blob in made))
        made.append(weakref.ref(tops[0]))

    for step in net.steps[1:]:
        step.layer.register_forward_hook(count)
    net(t0=np.ones((2, 3)))
    assert alive == [0] + [1] * 7


def test_threads_share_a_net(fixtures_dir: Path) -> None:
    """A forward's blobs are its own thread's, and every thread gets what one alone gets."""
    path = fixtures_dir / "nets" / "frcnn_test"
    net = Net.from_prototxt(path.with_suffix(".prototxt"), weights=path.with_suffix(".caffemodel"))
    sizes = [(48 + 16 * i, 64 + 16 * i) for i in range(12)]  # more than the anchors of which are kept
    draws = np.random.RandomState(3)
    images = [draws.uniform(-100, 100, (1, 3, *size)).astype(np.float32) for size in sizes]

    def run(i: int) -> dict[str, Tensor]:
        net(data=images[i], im_info=np.float32([[*sizes[i], 1]]), keep=["rois", "conv2_1"])
        time.sleep(0.001)  # the others go on
        return {name: blob.clone() for name, blob in net.blobs.items()}

    alone = [run(i) for i in range(len(sizes))]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(run, [*range(len(sizes))] * 5))
    for i, found in enumerate(together):
        want = alone[i % len(sizes)]
        assert found.keys() == want.keys()
        assert all(torch.equal(found[name], want[name]) for name in want)


def test_a_thread_that_ran_nothing_has_no_blobs() -> None:
    net = Net.from_prototxt('layer { name: "d" type: "Input" top: "d" input_param { shape { dim: 1 } } }')
    net(d=np.ones(1))
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(len, net.blobs).result() == 0
    assert len(net.blobs) == 1


def trained_params(text: str, **blobs: np.ndarray) -> tuple[Net, dict[str, Tensor]]:
    net = Net.from_prototxt(text, "TRAIN", seed=5)
    net(blobs, keep="all")
    net.backward()
    return net, {key: param.grad for key, param in net.named_parameters() if param.grad is not None}


SCORES = """
layer { name: "x" type: "Input" top: "x" top: "t" input_param { shape { dim: 3 dim: 4 } shape { dim: 3 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param { num_output: 5
        weight_filler { type: "xavier" } } }
"""
FED = {"x": np.linspace(-1, 1, 12).reshape(3, 4), "t": np.float32([1, 0, 4])}


def test_a_loss_that_is_read_goes_backward_once() -> None:
    """Its weight moves to the Split's top, whose backward overwrites the loss's own."""
    loss = 'layer { name: "l" type: "SoftmaxWithLoss" bottom: "ip" bottom: "t" top: "loss" loss_weight: 3 }\n'
    _, alone = trained_params(SCORES + loss, **FED)
    net, read = trained_params(SCORES + loss + 'layer { name: "s" type: "Silence" bottom: "loss" }', **FED)
    assert all(torch.equal(read[key], alone[key]) for key in alone)
    assert net.diffs["loss"] == 3


def test_a_reader_that_goes_backward_takes_the_place_of_a_losss_own_weight() -> None:
    reader = 'layer { name: "p" type: "Power" bottom: "loss" top: "y" power_param { scale: -2 } loss_weight: 0.5 }'
    loss = 'layer { name: "l" type: "SoftmaxWithLoss" bottom: "ip" bottom: "t" top: "loss" }\n'
    _, alone = trained_params(SCORES + loss, **FED)
    net, read = trained_params(SCORES + loss + reader, **FED)
    assert net.diffs["loss"] == -1
    for key, diff in alone.items():
        torch.testing.assert_close(read[key], -diff)
    net.zero_grad()
    net(FED)
    net.loss.backward()
    assert all(torch.equal(param.grad, read[key]) for key, param in net.named_parameters() if param.grad is not None)


def test_an_in_place_reader_of_a_loss_goes_on_with_its_weight() -> None:
    loss = 'layer { name: "l" type: "SoftmaxWithLoss" bottom: "ip" bottom: "t" top: "loss" }\n'
    _, alone = trained_params(SCORES + loss, **FED)
    reader = 'layer { name: "p" type: "Power" bottom: "loss" top: "loss" power_param { scale: -2 } }'
    _, read = trained_params("force_backward: true\n" + SCORES + loss + reader, **FED)
    for key, diff in alone.items():
        torch.testing.assert_close(read[key], -2 * diff)


def test_a_frozen_maker_under_a_layer_that_learns_in_place() -> None:
    """The blob has the diff that its in-place layer was given, which nothing overwrites any more."""
    frozen = SCORES.replace('top: "ip" ', 'top: "ip" param { lr_mult: 0 } param { lr_mult: 0 } ')
    scale = 'layer { name: "s" type: "Scale" bottom: "ip" top: "ip" scale_param { filler { value: 2 } } }\n'
    loss = 'layer { name: "l" type: "EuclideanLoss" bottom: "ip" bottom: "x2" top: "loss" }\n'
    fed = 'layer { name: "x2" type: "Input" top: "x2" input_param { shape { dim: 3 dim: 5 } } }\n'
    net, _ = trained_params(frozen + fed + scale + loss, x2=np.ones((3, 5)), **FED)
    torch.testing.assert_close(net.diffs["ip"], (net.blobs["ip"] - 1) / 3)


def test_a_layer_that_writes_its_bottoms_diff_unasked() -> None:
    softmax = 'layer { name: "s" type: "Softmax" bottom: "ip" top: "s" propagate_down: false }\n'
    loss = 'layer { name: "l" type: "EuclideanLoss" bottom: "s" bottom: "x2" top: "loss" }\n'
    fed = 'layer { name: "x2" type: "Input" top: "x2" input_param { shape { dim: 3 dim: 5 } } }\n'
    net, diffs = trained_params(SCORES + fed + softmax + loss, x2=np.ones((3, 5)), **FED)
    assert net.diffs["ip"].abs().max() > 0
    assert diffs == {}  # it goes no further


def test_a_diff_handed_in_where_nothing_needs_one() -> None:
    text = SCORES + 'layer { name: "sl" type: "Slice" bottom: "ip" top: "a" top: "b" slice_param { slice_point: 2 } }\n'
    text += 'layer { name: "l" type: "SoftmaxWithLoss" bottom: "ip" bottom: "t" top: "loss" }\n'
    net, alone = trained_params(text, **FED)
    net.zero_grad()
    net(FED, keep="all")
    net.backward({"a": np.ones((3, 2), np.float32)})
    assert all(torch.equal(param.grad, alone[key]) for key, param in net.named_parameters() if param.grad is not None)


def test_of_two_layers_with_one_name_the_one_with_params_counts() -> None:
    net = Net.from_prototxt(SCORES + 'layer { name: "ip" type: "ReLU" bottom: "ip" top: "r" }')
    assert net.param_shapes == {"ip": [(5, 4), (5,)]}
    net.fill({("ip", 1): torch.ones(5)})
    assert (net.layer("ip").params[1] == 1).all()
