import math
from typing import Any

import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.infogain_loss import InfogainLossLayer
from recaffe.layers.softmax_loss import SoftmaxWithLossLayer

from .conftest import CheckGradients, Replay

GENERATOR = torch.Generator().manual_seed(1)
SCORES = torch.randn(2, 3, 5, generator=GENERATOR)
LABELS = torch.tensor([[0.0, 2, 1, 1, 0], [2, 2, 0, 1, 0]])
MATRIX = torch.rand(3, 3, generator=GENERATOR)


def test_caffe_agrees(replay: Replay) -> None:
    replay("infogain", InfogainLossLayer)


def test_gradients(check_gradients: CheckGradients) -> None:
    check_gradients(InfogainLossLayer(ignore_label=1, source=MATRIX), SCORES.clone().requires_grad_(), LABELS)
    check_gradients(InfogainLossLayer(axis=-1), (2, 5, 3), LABELS, MATRIX)


def test_the_matrix_comes_from_a_file_or_a_bottom() -> None:
    from_file, from_bottom = InfogainLossLayer(source=MATRIX[None, None]), InfogainLossLayer(source=-MATRIX)
    assert torch.equal(from_file(SCORES, LABELS)[0], from_bottom(SCORES, LABELS, MATRIX)[0])
    assert from_file.state_dict() == {}


def test_its_rows_are_the_labels() -> None:
    log_p = SCORES.log_softmax(1)
    expected = sum(-MATRIX[int(LABELS[n, i]), k] * log_p[n, k, i] for n in range(2) for k in range(3) for i in range(5))
    torch.testing.assert_close(InfogainLossLayer()(SCORES, LABELS, MATRIX)[0] * 10, expected)


@pytest.mark.parametrize("mode", ["FULL", "VALID", "BATCH_SIZE", "NONE"])
def test_the_unit_matrix_makes_it_softmax_loss(mode: str) -> None:
    fields: dict[str, Any] = {"normalization": mode, "ignore_label": 2}
    infogain, softmax = InfogainLossLayer(source=torch.eye(3), **fields), SoftmaxWithLossLayer(**fields)
    infogain.setup((2, 3, 5), (2, 5), num_tops=2)
    softmax.setup((2, 3, 5), (2, 5), num_tops=2)
    for ours, theirs in zip(infogain(SCORES, LABELS), softmax(SCORES, LABELS), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_the_loss_has_a_floor_but_not_its_diff() -> None:
    x = torch.tensor([[0.0, 300.0]], requires_grad=True)
    (loss,) = InfogainLossLayer(source=torch.eye(2))(x, torch.zeros(1))
    assert loss.item() == pytest.approx(-math.log(1e-20))
    loss.backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[-1, 1]]


@pytest.mark.parametrize("label", [3, -1])
def test_a_label_that_is_no_class_is_refused(label: float) -> None:
    with pytest.raises(LayerError, match=r"a label is not in 0\.\.2, the classes of scores 2×3×5"):
        InfogainLossLayer(source=MATRIX)(SCORES, torch.full((2, 5), float(label)))


def test_what_caffe_refuses_is_refused() -> None:
    with pytest.raises(LayerError, match="does not know normalize: normalization VALID"):
        InfogainLossLayer(normalize=True)
    with pytest.raises(LayerError, match="needs the infogain matrix: as bottom 2, or"):
        InfogainLossLayer().setup((2, 3), (2,))
    with pytest.raises(LayerError, match="infogain matrix of 5×5 numbers, got 3×3 for scores 2×5"):
        InfogainLossLayer(source=MATRIX).top_shapes((2, 5), (2,))
    with pytest.raises(LayerError, match="takes 10 labels for scores 2×3×5 with axis 1, got 2×4"):
        InfogainLossLayer().top_shapes((2, 3, 5), (2, 4), (3, 3))
