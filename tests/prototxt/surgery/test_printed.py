from __future__ import annotations

from pathlib import Path

import pytest

from recaffe.prototxt.surgery.printed import printed
from recaffe.prototxt.text.read import print_text, read_net
from recaffe.prototxt.zoo.catalog import make_net

NETS = Path(__file__).parents[3] / "golden" / "fixtures" / "nets"


def test_input_fields_stay_input_fields() -> None:
    text = print_text(make_net("zf"))
    assert printed(read_net(text).net) == text
    assert text.startswith('name: "ZF"\ninput: "data"\n')


@pytest.mark.parametrize("extra", ["", "include { phase: TEST }", 'include { phase: TEST } name: "input"'])
def test_a_layer_stays_a_layer(extra: str) -> None:
    net = read_net(NETS / "frcnn_test.prototxt").net
    first = read_net(f"layer {{ type: 'Input' {extra} }}").net.layer[0]
    net.layer[0].MergeFrom(first)
    assert printed(net) == print_text(net)
