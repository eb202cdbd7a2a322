import pytest
import torch

from recaffe.layers.boxes.window_max import LOWEST, window_max


@pytest.mark.parametrize(("h", "w"), [(4, 9), (1, 8), (7, 1)])
def test_every_window_of_a_map(h: int, w: int) -> None:
    features = torch.randint(-4, 5, (2, 3, h, w)).float()
    features[1, 2] = float("nan")
    rows = torch.tensor([(a, b) for a in range(h + 1) for b in range(h + 1)], dtype=torch.int32)
    columns = torch.tensor([(a, b) for a in range(w + 1) for b in range(w + 1)], dtype=torch.int32)
    image = torch.tensor([1, 0], dtype=torch.int32)
    values, cells = window_max(features, image, rows.expand(2, -1, -1), columns.expand(2, -1, -1))
    assert values.shape == (2, len(rows), len(columns), 3)
    for i, (top, bottom) in enumerate(rows.tolist()):
        for j, (left, right) in enumerate(columns.tolist()):
            window = features[[1, 0], :, top:bottom, left:right].nan_to_num(LOWEST).flatten(2)
            if window.shape[2] == 0:
                assert not values[:, i, j].any()
                assert (cells[:, i, j] == -1).all()
                continue
            best, at = window.max(dim=2)
            cell = (at // (right - left) + top) * w + at % (right - left) + left
            assert torch.equal(values[:, i, j], best)
            assert torch.equal(cells[:, i, j].long(), torch.where(best > LOWEST, cell, -1))
