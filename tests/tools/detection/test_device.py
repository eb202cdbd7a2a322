"""Where a net runs."""

from __future__ import annotations

import pytest
import torch

from recaffe.tools.detection.device import device_of
from recaffe.tools.detection.errors import DetectionError


def test_each_process_has_its_own_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device_of("cpu", 3) == torch.device("cpu")
    assert device_of("cuda", 3) == torch.device("cuda", 3)
    assert device_of("cuda:1", 3) == torch.device("cuda", 1)


def test_what_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DetectionError) as error:
        device_of("cuda")
    assert str(error.value) == "device=cuda: no GPU is found here (recaffe doctor tells more)"
    with pytest.raises(DetectionError, match="device=gpu: is none; there are cpu, cuda, cuda:1 and on"):
        device_of("gpu")
