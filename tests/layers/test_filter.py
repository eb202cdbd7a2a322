import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.filter import FilterLayer

from .conftest import CheckGradients


def test_items_with_a_selector_are_kept() -> None:
    bottoms = torch.arange(15.0).view(5, 3), torch.arange(5.0)
    items, numbers = FilterLayer()(*bottoms, torch.tensor([0.0, 1, -0.5, 0, 7]).view(5, 1, 1))
    assert items.tolist() == [[3, 4, 5], [6, 7, 8], [12, 13, 14]]
    assert numbers.tolist() == [1, 2, 4]


def test_gradients(check_gradients: CheckGradients) -> None:
    check_gradients(FilterLayer(), (4, 3, 2), (4, 5), torch.tensor([1.0, 0, 0, 1]), num_tops=2)


def test_none_may_be_selected() -> None:
    bottom = torch.ones(4, 3, requires_grad=True)
    (top,) = FilterLayer()(bottom, torch.zeros(4))
    top.sum().backward()
    assert top.shape == (0, 3)
    assert bottom.grad is not None
    assert not bottom.grad.any()


def test_before_it_runs_all_count_as_selected() -> None:
    layer = FilterLayer()
    layer.setup((4, 3), (4, 5, 6), (4, 1), num_tops=2)
    assert layer.top_shapes((4, 3), (4, 5, 6), (4, 1)) == ((4, 3), (4, 5, 6))
    assert layer.undifferentiable == {2}


@pytest.mark.parametrize(
    ("shapes", "num_tops", "message"),
    [
        ([(4, 3), (4, 2)], 1, "a selector with one number for each item, got 4×2"),
        ([(4, 3), (5, 2), (4,)], 2, "one selector number for each item, got 4 and, as bottom 1, 5×2"),
        ([(4, 3), (4,)], 2, r"got 2 bottoms, 2 top\(s\)"),
        ([(4, 3), ()], 1, "one number for each item, got scalar"),
        ([(4,)], 1, r"at least 2 bottom blob\(s\), got 1"),
    ],
)
def test_what_does_not_fit_is_refused(shapes: list[tuple[int, ...]], num_tops: int, message: str) -> None:
    with pytest.raises(LayerError, match=message):
        FilterLayer().setup(*shapes, num_tops=num_tops)
