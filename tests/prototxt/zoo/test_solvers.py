import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from recaffe.prototxt.zoo.catalog import ZooError
from recaffe.prototxt.zoo.solvers import make_solver

FILE = Path(__file__).parents[3] / "golden" / "fixtures" / "zoo" / "originals.json.xz"
ORIGINALS: dict[str, dict[str, Any]] = json.loads(lzma.decompress(FILE.read_bytes()))["solvers"]


@pytest.mark.parametrize("key", ORIGINALS)
def test_a_solver_is_the_originals(key: str) -> None:
    solver = make_solver(*key.split(), train_net="net.prototxt")
    fields = {field.name: value for field, value in solver.ListFields()}
    assert fields.pop("train_net") == "net.prototxt"
    assert set(fields) == set(ORIGINALS[key])
    assert {name: pytest.approx(v) if isinstance(v, float) else v for name, v in ORIGINALS[key].items()} == fields


def test_class_aware_nets_learn_as_the_others() -> None:
    assert make_solver("resnet50", "class-aware-ohem") == make_solver("resnet50", "end2end-ohem")


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(ZooError, match="no coco solver for zf stage1-rpn: take voc's, set its stepsize"):
        make_solver("zf", "stage1-rpn", "coco")
    with pytest.raises(ZooError, match="zf has no scheme 'rpn'"):
        make_solver("zf", "rpn")
    with pytest.raises(ZooError, match="no model 'lenet'"):
        make_solver("lenet")
