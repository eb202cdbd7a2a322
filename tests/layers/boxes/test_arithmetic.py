from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from recaffe.layers.base.layer import LayerError
from recaffe.layers.boxes.arithmetic import clip, iou, large_enough, transform, transform_inv

Functions = dict[str, npt.NDArray[np.generic]]
NAN, INF = float("nan"), float("inf")


@pytest.fixture(scope="module")
def functions(fixtures_dir: Path) -> Functions:
    with np.load(fixtures_dir / "detection" / "functions.npz") as archive:
        return {key: archive[key] for key in archive}


def tensors(functions: Functions, case: str, *keys: str) -> list[Tensor]:
    return [torch.from_numpy(functions[f"{case}/{key}"]) for key in keys]


def random_boxes(count: int) -> Tensor:
    corner = torch.rand(count, 2, dtype=torch.float64) * 90
    return torch.cat((corner, corner + torch.rand(count, 2, dtype=torch.float64) * 40), dim=1)


def overlap(a: list[float], b: list[float], plus: float) -> float:
    """One pair, in the original's order of operations."""
    w, h = min(a[2], b[2]) - max(a[0], b[0]) + plus, min(a[3], b[3]) - max(a[1], b[1]) + plus
    sizes = [(box[2] - box[0] + plus) * (box[3] - box[1] + plus) for box in (a, b)]
    return w * h / (sizes[0] + sizes[1] - w * h) if w > 0 and h > 0 else 0.0


@pytest.mark.parametrize("case", range(3))
def test_iou_is_the_originals_to_the_last_bit(functions: Functions, kernels: str, case: int) -> None:
    boxes, query, out = tensors(functions, f"overlaps/{case}", "boxes", "query", "out")
    assert_close(iou(boxes, query), out, rtol=0, atol=0)


@pytest.mark.parametrize("plus", [0.0, 1.0])
def test_iou_follows_the_rule(kernels: str, plus: float) -> None:
    boxes, query = random_boxes(67), random_boxes(13)
    boxes[3] = query[5]
    boxes[4, 2:] = boxes[4, :2] - 3  # inverted
    boxes[5, 2:] = boxes[5, :2]
    expected = torch.tensor([[overlap(b, q, plus) for q in query.tolist()] for b in boxes.tolist()])
    assert (expected > 0.3).any()
    assert expected[3, 5] == 1
    assert_close(iou(boxes, query, plus), expected.double(), rtol=1e-6, atol=0)
    assert torch.equal(iou(boxes[:, [1, 0, 3, 2]], query[:, [1, 0, 3, 2]], plus), iou(boxes, query, plus))


def test_iou_is_float64_whatever_comes(kernels: str) -> None:
    third = iou(torch.tensor([[0, 0, 1, 0]]), torch.tensor([[1.0, 0, 2, 0]]))
    assert third.dtype == torch.float64
    assert third.item() == 1 / 3


def test_boxes_side_by_side_do_not_meet(kernels: str) -> None:
    boxes = torch.tensor([[0.0, 0, 4, 4], [5, 0, 9, 4]])
    assert iou(boxes[:1], boxes[1:]).item() == 0
    nearer = boxes[1:] - torch.tensor([1, 0, 1, 0])
    assert iou(boxes[:1], nearer).item() == 5 / 45
    assert iou(boxes[:1], nearer, plus=0).item() == 0


@pytest.mark.parametrize(
    "bad", [[NAN, 0, 9, 9], [0, NAN, 9, 9], [0, 0, NAN, 9], [0, 0, 9, NAN], [-INF, -INF, INF, INF]]
)
def test_what_is_no_box_overlaps_nothing(kernels: str, bad: list[float]) -> None:
    boxes = torch.tensor([[1.0, 1, 8, 8], bad])
    assert iou(boxes, boxes).tolist() == [[1, 0], [0, 0]]


def test_iou_of_none(kernels: str) -> None:
    none, some = torch.empty(0, 4), random_boxes(3)
    assert iou(none, some).shape == (0, 3)
    assert iou(some, none).shape == (3, 0)


@pytest.mark.parametrize("shape", [(3, 5), (4,), (2, 3, 4)])
def test_other_shapes_are_refused(kernels: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(LayerError, match=r"boxes are N x 4, got \("):
        iou(random_boxes(2), torch.zeros(shape))


@pytest.mark.parametrize("case", range(3))
def test_transform_is_the_originals(functions: Functions, case: int) -> None:
    examples, truths, out = tensors(functions, f"transform/{case}", "ex", "gt", "out")
    assert_close(transform(examples, truths), out, rtol=0, atol=1e-6 * out.abs().max().item())


@pytest.mark.parametrize("case", range(6))
def test_inverse_is_the_originals(functions: Functions, case: int) -> None:
    boxes, deltas, out = tensors(functions, f"inverse/{case}", "boxes", "deltas", "out")
    assert_close(transform_inv(boxes, deltas), out, rtol=3e-7, atol=2e-5)


@pytest.mark.parametrize("plus", [0.0, 1.0])
def test_inverse_undoes_transform_but_for_the_plus(plus: float) -> None:
    examples, truths = random_boxes(11), random_boxes(11)
    moved = transform_inv(examples, transform(examples, truths, plus), plus)
    assert_close(moved, truths + torch.tensor([0, 0, plus, plus]))


def test_targets_by_hand() -> None:
    example, truth = torch.tensor([[0.0, 0, 9, 19]]), torch.tensor([[5.0, 10, 24, 19]])
    assert_close(transform(example, truth)[0], torch.tensor([1.0, 0.25, 0.693147, -0.693147]))
    assert_close(transform(example, truth, plus=0)[0], torch.tensor([10 / 9, 5 / 19, 0.747214, -0.747214]))


@pytest.mark.parametrize("case", range(5))
def test_clip_is_the_originals(functions: Functions, case: int) -> None:
    boxes, shape, out = tensors(functions, f"clip/{case}", "boxes", "im_shape", "out")
    assert_close(clip(boxes, float(shape[0]), float(shape[1])), out, rtol=0, atol=0)


def test_clip_keeps_to_the_edges() -> None:
    boxes = torch.tensor([[-3.0, 2, 50, 60, 7, NAN, 8, 9]])
    assert_close(clip(boxes, 40, 30), torch.tensor([[0.0, 2, 29, 39, 7, NAN, 8, 9]]), equal_nan=True)
    assert_close(clip(boxes[:, :4], 40, 30, plus=0), torch.tensor([[0.0, 2, 30, 40]]))


def test_large_enough_counts_both_sides() -> None:
    boxes = torch.tensor([[0.0, 0, 15, 15], [0, 0, 14, 40], [0, 0, 40, 14], [9, 9, 2, 2], [0, NAN, 30, 30]])
    assert large_enough(boxes, 16).tolist() == [True, False, False, False, False]
    assert not large_enough(boxes, 16, plus=0).any()


def test_compilers_see_the_operation(kernels: str) -> None:
    torch.library.opcheck(torch.ops.recaffe.iou.default, (random_boxes(5), random_boxes(3), 1.0))
