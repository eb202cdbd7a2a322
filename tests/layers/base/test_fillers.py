import math

import pytest
import torch

from recaffe.layers.base.fillers import Filler, FillerError
from recaffe.layers.base.layer import Layer, LayerError

SHAPE = (40, 30, 5, 4)


def filled(filler: Filler, shape: tuple[int, ...] = SHAPE, seed: int = 5) -> torch.Tensor:
    tensor = torch.full(shape, math.nan)
    filler.fill(tensor, torch.Generator().manual_seed(seed))
    return tensor


def test_unset_is_zero() -> None:
    assert filled(Filler()).unique().tolist() == [0]


def test_constant() -> None:
    assert filled(Filler(value=0.25), ()).item() == 0.25


def test_uniform() -> None:
    values = filled(Filler("uniform", min=-2, max=6))
    assert -2 <= values.min() < -1.99
    assert 5.99 < values.max() <= 6
    assert values.mean().item() == pytest.approx(2, abs=0.05)


def test_gaussian() -> None:
    values = filled(Filler("gaussian", mean=3, std=0.5))
    assert values.mean().item() == pytest.approx(3, abs=0.02)
    assert values.std().item() == pytest.approx(0.5, rel=0.02)


def test_sparse_gaussian_keeps_its_share_of_the_outputs() -> None:
    values = filled(Filler("gaussian", std=2, sparse=10))
    assert (values != 0).double().mean().item() == pytest.approx(10 / 40, abs=0.01)
    assert values[values != 0].std().item() == pytest.approx(2, rel=0.02)


def test_positive_unitball_has_rows_that_sum_to_one() -> None:
    values = filled(Filler("positive_unitball"))
    torch.testing.assert_close(values.flatten(1).sum(1), torch.ones(40))
    assert values.min() >= 0


@pytest.mark.parametrize(("norm", "n"), [("FAN_IN", 600), ("FAN_OUT", 800), ("AVERAGE", 700)])
def test_xavier_and_msra_follow_the_fans(norm: str, n: int) -> None:
    xavier, msra = (filled(Filler(kind, variance_norm=norm)) for kind in ("xavier", "msra"))
    assert xavier.abs().max().item() == pytest.approx(math.sqrt(3 / n), rel=1e-3)
    assert xavier.std().item() == pytest.approx(math.sqrt(1 / n), rel=0.02)
    assert msra.std().item() == pytest.approx(math.sqrt(2 / n), rel=0.02)


def test_bilinear_enlarges_by_interpolation() -> None:
    values = filled(Filler("bilinear"), (2, 3, 4, 4))
    row = torch.tensor([0.25, 0.75, 0.75, 0.25])
    assert torch.equal(values, (row[:, None] * row).expand(2, 3, 4, 4))


@pytest.mark.parametrize("kind", ["uniform", "gaussian", "positive_unitball", "xavier", "msra"])
def test_the_generator_decides_whatever_the_order_of_memory(kind: str) -> None:
    first, other = filled(Filler(kind)), filled(Filler(kind), seed=6)
    turned = torch.empty(SHAPE).contiguous(memory_format=torch.channels_last)
    Filler(kind).fill(turned, torch.Generator().manual_seed(5))
    assert torch.equal(first, turned)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    ("filler", "shape", "message"),
    [
        (Filler("normal"), (2, 3), r"unknown filler 'normal' \(known: constant, uniform, gaussian"),
        (Filler("xavier"), (2, 0), "nothing to fill: the shape is 2×0"),
        (Filler("xavier", sparse=2), (2, 3), "filler xavier cannot be sparse"),
        (Filler("gaussian", sparse=3), (2, 3), "cannot be sparse: 3"),
        (Filler("gaussian", std=0), (2, 3), "needs std > 0"),
        (Filler("uniform", min=2), (2, 3), "needs min <= max, got 2 and 1"),
        (Filler("gaussian", std=float("nan")), (2, 3), "needs std > 0, got nan"),
        (Filler("uniform", min=float("nan")), (2, 3), "needs min <= max, got nan and 1"),
        (Filler("uniform", min=-3e38, max=3e38), (2, 3), r"uniform from -3e\+38 to 3e\+38 is wider than a float"),
        (Filler("bilinear"), (2, 3, 4, 5), "a square kernel, got 2×3×4×5"),
    ],
)
def test_what_does_not_fit_is_refused(filler: Filler, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(FillerError, match=message):
        filled(filler, shape)
    with torch.device("meta"), pytest.raises(LayerError, match=f"param 0: .*{message}"):
        Layer().add_param(shape, filler)
