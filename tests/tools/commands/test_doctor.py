"""`recaffe doctor`."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from recaffe.tools.main import main


def test_json_tells_what_the_text_tells(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["versions"]["torch"] == torch.__version__
    assert report["versions"]["numpy"] == np.__version__
    assert report["machine"]["threads"].startswith(f"{torch.get_num_threads()} of ")
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    for section in report.values():
        for name, finding in section.items():
            assert f"  {name} " in text
            assert finding in text
