import pytest
import torch

from recaffe.layers import native
from recaffe.layers.native import kernels


def test_nothing_built_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "EXTENSION_SUFFIXES", [".absent"])
    monkeypatch.setattr(kernels, "library", kernels.library.__wrapped__)
    assert kernels.library() is None
    assert not native.available()
    assert not native.serves(torch.zeros(2))


def test_a_library_of_other_sources_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    assert native.available(), "the native kernels are not built: make setup builds them"
    monkeypatch.setattr(kernels, "_fingerprint", lambda folder: "other sources")
    with pytest.warns(UserWarning, match="not built from the sources beside it: install again"):
        assert native.library.__wrapped__() is None


def test_only_the_cpu_is_served() -> None:
    assert native.serves(torch.zeros(2)) == native.available()
    assert not native.serves(torch.zeros(2), torch.zeros(2, device="meta"))


def test_arguments_arrive_as_they_are() -> None:
    assert native.available(), "the native kernels are not built: make setup builds them"
    boxes = torch.tensor([[0.0, 0, 9, 9], [5, 5, 14, 14], [1, 0, 9, 9]])
    rows, scratch = torch.full((3,), -1), torch.empty(5, 3)
    assert native.call("nms", boxes, 3, 0.5, 1.0, 3, scratch, rows) == 2
    assert rows.tolist() == [0, 1, -1]
    with pytest.raises(AttributeError, match="recaffe_absent"):
        native.call("absent")
