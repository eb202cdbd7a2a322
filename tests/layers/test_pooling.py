from typing import Any

import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.pooling import PoolingLayer

from .conftest import CheckGradients, Replay

CASES: dict[str, dict[str, Any]] = {
    "pool_ave_k1s2": {"pool": "AVE", "kernel_size": 1, "stride": 2},
    "pool_max_k1s2": {"kernel_size": 1, "stride": 2},
    "pool_ave_k2s2p1_clip": {"pool": "AVE", "kernel_size": 2, "stride": 2, "pad": 1},
    "pool_max_k2s2p1_clip": {"kernel_size": 2, "stride": 2, "pad": 1},
    "pool_ave_k3s2p1": {"pool": "AVE", "kernel_size": 3, "stride": 2, "pad": 1},
    "pool_max_k3s2": {"kernel_size": 3, "stride": 2},
    "pool_max_mask_top": {"kernel_size": 3, "stride": 2},
    "pool_ave_floor": {"pool": "AVE", "kernel_size": 3, "stride": 2, "round_mode": "FLOOR"},
    "pool_max_global": {"global_pooling": True},
    "pool_max_hw": {"kernel_h": 3, "kernel_w": 2, "stride_h": 2, "stride_w": 1, "pad_h": 1, "pad_w": 0},
}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: PoolingLayer(**CASES[name]))


def by_the_book(x: torch.Tensor, pool: str, k: int, s: int, p: int) -> torch.Tensor:
    """One plane (H, W), window by window, as the rule is written down."""
    counts = []
    for length in x.shape:
        count = -((k - length - 2 * p) // s) + 1
        counts.append(count - 1 if p and (count - 1) * s >= length + p else count)
    y = torch.empty(counts)
    for i in range(counts[0]):
        for j in range(counts[1]):
            top, left = i * s - p, j * s - p
            cells = x[max(top, 0) : top + k, max(left, 0) : left + k]
            area = (min(top + k, x.shape[0] + p) - top) * (min(left + k, x.shape[1] + p) - left)
            if pool == "AVE":
                y[i, j] = cells.sum() / torch.tensor(float(area))
            else:
                y[i, j] = cells.max() if cells.numel() else torch.finfo(torch.float32).min
    return y


@pytest.mark.parametrize("pool", ["MAX", "AVE"])
@pytest.mark.parametrize("k", [1, 2, 3, 5])
@pytest.mark.parametrize("s", [1, 2, 3, 7])
def test_every_window_follows_the_rule(pool: str, k: int, s: int) -> None:
    for p in range(k):
        for size in ((4, 5), (6, 9), (7, 8), (3, 10)):
            if min(size) + 2 * p - k <= -s:
                continue
            x = torch.randn(size)
            (y,) = PoolingLayer(pool=pool, kernel_size=k, stride=s, pad=p)(x[None, None])
            torch.testing.assert_close(y[0, 0], by_the_book(x, pool, k, s, p), equal_nan=True)


@pytest.mark.parametrize("pad", [0, 1, 2])
def test_gradients(check_gradients: CheckGradients, pad: int) -> None:
    for pool in ("MAX", "AVE"):
        check_gradients(PoolingLayer(pool=pool, kernel_size=3, stride=2, pad=pad), (1, 2, 6, 5))


def test_the_mask_counts_in_the_bottoms_plane() -> None:
    x = torch.randn(2, 3, 5, 4)
    for pad in (1, 2):  # by torch's own pooling, and where torch refuses the pad
        layer = PoolingLayer(kernel_size=3, stride=2, pad=pad)
        layer.setup(tuple(x.shape), num_tops=2)
        y, mask = layer(x)
        assert torch.equal(x.flatten(2).gather(2, mask.flatten(2).long()), y.flatten(2))
        assert mask.dtype is torch.float32


def test_of_equal_maxima_the_first_counts() -> None:
    layer = PoolingLayer(kernel_size=2)
    layer.setup((1, 1, 2, 3), num_tops=2)
    assert layer(torch.ones(1, 1, 2, 3))[1].flatten().tolist() == [0, 1]


def test_a_kernel_may_be_larger_than_an_unpadded_plane() -> None:
    x = torch.randn(2, 3, 2, 4)
    (y,) = PoolingLayer(kernel_size=3, stride=2)(x)
    torch.testing.assert_close(y[..., 0], x[..., :3].amax((2, 3))[..., None])


@pytest.mark.parametrize("pool", ["MAX", "AVE"])
def test_channels_last_stays(pool: str) -> None:
    x = torch.randn(2, 3, 8, 9).contiguous(memory_format=torch.channels_last)
    (y,) = PoolingLayer(pool=pool, kernel_size=3, stride=2, pad=1)(x)
    assert y.is_contiguous(memory_format=torch.channels_last)


def test_stochastic_draws_by_weight() -> None:
    x = torch.tensor([1.0, 0.0, 2.0, 7.0]).view(1, 1, 2, 2).expand(50, 60, 2, 2).clone().requires_grad_()
    (y,) = PoolingLayer(pool="STOCHASTIC", kernel_size=2, phase="TRAIN", generator=torch.Generator().manual_seed(3))(x)
    shares = [(y == value).double().mean().item() for value in (1, 0, 2, 7)]
    assert shares == pytest.approx([0.1, 0, 0.2, 0.7], abs=0.03)
    y.sum().backward()
    assert x.grad is not None
    assert torch.equal((x.detach() * x.grad).sum((2, 3)), y.detach()[..., 0, 0])


def test_stochastic_tests_with_the_mean_by_weight() -> None:
    x = torch.tensor([[1.0, 3.0, 2.0], [0.0, 4.0, 2.0]])[None, None]
    (y,) = PoolingLayer(pool="STOCHASTIC", kernel_size=2, stride=2)(x)
    torch.testing.assert_close(y.flatten(), torch.tensor([26 / 8, 2.0]))
    assert not PoolingLayer(pool="STOCHASTIC", kernel_size=2)(torch.zeros(1, 2, 3, 4))[0].any()


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({}, "needs kernel_size, or kernel_h and kernel_w"),
        ({"kernel_h": 3}, "needs kernel_size, or kernel_h and kernel_w"),
        ({"kernel_size": 3, "kernel_w": 3}, "and not both"),
        ({"kernel_size": 3, "stride": 2, "stride_h": 2, "stride_w": 2}, "needs stride, or stride_h and stride_w"),
        ({"kernel_size": 3, "stride_w": 2}, "needs stride, or stride_h and stride_w"),
        ({"kernel_size": 3, "pad": 1, "pad_h": 1}, "needs pad, or pad_h and pad_w"),
        ({"kernel_size": 2, "pad": 2}, "pad 2×2 must be smaller than kernel 2×2"),
        ({"kernel_size": 0}, "must be at least 1"),
        ({"kernel_size": 3, "stride": 0}, "must be at least 1"),
        ({"kernel_size": 3, "global_pooling": True}, "leave out kernel"),
        ({"stride": 2, "global_pooling": True}, "keep pad 0 and stride 1"),
        ({"kernel_size": 3, "pad": 1, "pool": "STOCHASTIC"}, "pad works with MAX and AVE only"),
        ({"kernel_size": 9}, "kernel 9×9 does not fit into the bottom's plane of 5×7"),
    ],
)
def test_what_caffe_refuses_is_refused(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(LayerError, match=message):
        PoolingLayer(**keywords).top_shapes((2, 3, 5, 7))


def test_bottoms_and_tops_must_suit() -> None:
    with pytest.raises(LayerError, match="takes a bottom of 4 axes"):
        PoolingLayer(kernel_size=2).top_shapes((2, 3, 5))
    with pytest.raises(LayerError, match="second top, the mask, only with pool MAX, not with AVE"):
        PoolingLayer(kernel_size=2, pool="AVE").setup((2, 3, 5, 7), num_tops=2)


LOWEST = torch.finfo(torch.float32).min
NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("pad", [0, 1])
@pytest.mark.parametrize("mask", [True, False])
def test_nan_is_never_the_maximum(pad: int, mask: bool) -> None:
    # Caffe starts from -FLT_MAX and takes what is greater: nothing is greater than NaN, nor is NaN.
    x = torch.randn(2, 3, 5, 6)
    x[0, 1, 2, 3], x[1, 0, 0, 0], x[1, 2, 4, 5] = NAN, NAN, NAN
    layer = PoolingLayer(kernel_size=3, stride=2, pad=pad)
    layer.setup((2, 3, 5, 6), num_tops=1 + mask)
    tops = layer(x)
    clean = layer(x.nan_to_num(nan=-1e9))
    assert all(torch.equal(a, b) for a, b in zip(tops, clean, strict=True))


def test_a_window_of_nothing_above_the_lowest_float_is_an_empty_one() -> None:
    x = torch.tensor([[NAN, NAN, -INF, LOWEST], [NAN, NAN, -INF, -INF], [1.0, NAN, INF, NAN], [0.0, NAN, NAN, INF]])
    layer = PoolingLayer(kernel_size=2, stride=2)
    layer.setup((1, 1, 4, 4), num_tops=2)
    y, mask = layer(x[None, None])
    assert y[0, 0].tolist() == [[LOWEST, LOWEST], [1.0, INF]]
    assert mask[0, 0].tolist() == [[-1, -1], [8, 10]]


def test_its_diff_goes_where_the_mask_says() -> None:
    x = torch.tensor([[NAN, NAN, 3.0, NAN]] * 2).repeat(1, 2, 1, 1).requires_grad_()
    (y,) = PoolingLayer(kernel_size=2, stride=2)(x)
    assert y[0].tolist() == [[[LOWEST, 3.0]], [[LOWEST, 3.0]]]
    y.backward(torch.tensor([[[[1.0, 2.0]], [[4.0, 8.0]]]]))
    assert x.grad is not None
    # The empty window's mask is -1: the diff 4 reaches the last cell of the plane before.
    assert x.grad[0].tolist() == [[[0, 0, 2, 0], [0, 0, 0, 4]], [[0, 0, 8, 0], [0, 0, 0, 0]]]
