from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from recaffe.layers.base.layer import LayerError
from recaffe.layers.boxes.nms import by_score, nms

NAN, INF = float("nan"), float("inf")
F = np.float32


def dense_boxes(count: int) -> Tensor:
    """Many near each other, as an RPN gives them, with some that are none."""
    centre, size = torch.rand(count, 2) * 60, torch.exp(torch.randn(count, 2) * 0.4 + 3)
    boxes = torch.cat((centre - size / 2, centre + size / 2), dim=1)
    boxes[::7] = boxes[::7].round()
    boxes[5::31, 2:] = boxes[5::31, :2]
    boxes[6::31, 2:] = boxes[6::31, :2] - 9
    boxes[7::31, 2:] = boxes[7::31, :2] - 1  # no area under +1
    boxes[8::97, 1] = NAN
    boxes[9::97] = torch.tensor([-INF, 0, INF, 9])
    return boxes


def greedy(boxes: npt.NDArray[np.float32], threshold: float, plus: float, inclusive: bool) -> list[int]:
    """The definition, pair by pair."""
    x1, y1, x2, y2 = boxes.T
    area = (x2 - x1 + F(plus)) * (y2 - y1 + F(plus))
    kept: list[int] = []
    for j in range(len(boxes)):
        w = np.maximum(F(0), np.minimum(x2[kept], x2[j]) - np.maximum(x1[kept], x1[j]) + F(plus))
        h = np.maximum(F(0), np.minimum(y2[kept], y2[j]) - np.maximum(y1[kept], y1[j]) + F(plus))
        overlap = w * h / (area[kept] + area[j] - w * h)
        assert overlap.dtype == np.float32
        fallen = overlap.astype(np.float64) >= threshold if inclusive else overlap > F(threshold)
        if not fallen.any():
            kept.append(j)
    return kept


@pytest.mark.parametrize("case", range(22))
@pytest.mark.parametrize("original", ["cpu_nms", "py_cpu_nms"])
def test_the_originals_agree(fixtures_dir: Path, kernels: str, case: int, original: str) -> None:
    with np.load(fixtures_dir / "detection" / "functions.npz") as archive:
        dets = torch.from_numpy(archive[f"nms/{case}/dets"])
        threshold, note = float(archive[f"nms/{case}/thresh"]), str(archive[f"nms/{case}/note"])
        expected = archive[f"nms/{case}/{original}"].tolist()
    order = by_score(dets[:, 4])
    if "tied" in note:  # the original's sort put them in descending order
        order = torch.arange(len(dets)).flip(0)
    assert order[nms(dets[order, :4], threshold, inclusive=original == "cpu_nms")].tolist() == expected


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("inclusive", [True, False])
@pytest.mark.parametrize("plus", [0.0, 1.0])
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.7, 1.0])
def test_the_definition_holds(kernels: str, threshold: float, plus: float, inclusive: bool) -> None:
    boxes = dense_boxes(501)
    kept = nms(boxes, threshold, plus, inclusive)
    assert kept.dtype == torch.int64
    assert kept.tolist() == greedy(boxes.numpy(), threshold, plus, inclusive)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_long_lists_and_every_limit(kernels: str) -> None:
    boxes = dense_boxes(2600)
    full = nms(boxes, 0.7)
    assert full.tolist() == greedy(boxes.numpy(), 0.7, 1.0, True)
    assert len(full) > 1100
    for limit in (1, 2, 127, 129, len(full) - 1, len(full), len(full) + 1, 9999):
        assert torch.equal(nms(boxes, 0.7, limit=limit), full[:limit])
    assert torch.equal(nms(boxes, 0.7, limit=0), full)


def test_the_fallen_suppress_nobody(kernels: str) -> None:
    left = torch.arange(40.0)[:, None] * 3
    boxes = torch.cat((left, left * 0, left + 9, left * 0 + 9), dim=1)  # overlaps 7/13, 4/16, 1/19
    assert nms(boxes, 0.5).tolist() == list(range(0, 40, 2))


def test_an_overlap_at_the_threshold(kernels: str) -> None:
    halves = torch.tensor([[0.0, 0, 9, 9], [0, 0, 9, 4]])
    assert nms(halves, 0.5).tolist() == [0]
    assert nms(halves, 0.5, inclusive=False).tolist() == [0, 1]


def test_nan_overlaps_nothing(kernels: str) -> None:
    assert nms(torch.tensor([[NAN, 0, 9, 9], [0, 0, 9, 9], [NAN, 0, 9, 9], [0, 0, 9, 9]]), 0.5).tolist() == [0, 1, 2]


def test_columns_of_a_wider_array_and_other_types(kernels: str) -> None:
    dets = torch.cat((dense_boxes(60), torch.rand(60, 1)), dim=1)
    expected = nms(dets[:, :4].clone(), 0.4)
    assert torch.equal(nms(dets[:, :4], 0.4), expected)
    assert torch.equal(nms(dets[:, :4].double(), 0.4), expected)


def test_none_and_wrong_shapes(kernels: str) -> None:
    assert nms(torch.empty(0, 4), 0.5).shape == (0,)
    with pytest.raises(LayerError, match=r"boxes are N x 4, got \(3, 5\)"):
        nms(torch.zeros(3, 5), 0.5)


def test_scores_in_order() -> None:
    scores = torch.tensor([0.5, NAN, 0.5, 0.9, -INF, 0.0, -0.0, INF, -NAN, 0.5])
    expected = [7, 3, 0, 2, 9, 5, 6, 4, 1, 8]
    assert by_score(scores).tolist() == expected
    assert by_score(scores, 0).tolist() == expected
    assert by_score(scores[:, None], 4).tolist() == expected[:4]
    assert by_score(scores, 99).tolist() == expected


def test_many_equal_scores_keep_their_order() -> None:
    scores = torch.randint(0, 50, (21546,)).float()
    order = by_score(scores, 12000)
    assert torch.equal(order, torch.from_numpy(np.lexsort((np.arange(21546), -scores.numpy()))[:12000]))


def test_compilers_see_the_operation(kernels: str) -> None:
    torch.library.opcheck(torch.ops.recaffe.nms.default, (dense_boxes(30), 0.5, 1.0, 7))
