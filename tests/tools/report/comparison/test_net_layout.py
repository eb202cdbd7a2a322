"""Layouts: every layer has its place, none overlaps another, lines run downwards from box to box."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from recaffe.prototxt.net.graph import Node
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import read_net
from recaffe.tools.report.comparison.net_layout import Layout, lay_out

NETS = Path(__file__).parents[4] / "golden" / "fixtures" / "nets"


def layer(name: str, bottoms: str, tops: str) -> str:
    blobs = [f'bottom: "{blob}"' for blob in bottoms.split()] + [f'top: "{blob}"' for blob in tops.split()]
    kind = "Eltwise" if " " in bottoms else "ReLU"
    return f'layer {{ name: "{name}" type: "{kind}" {" ".join(blobs)} }}\n'


DATA = 'layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 2 dim: 3 dim: 4 } } }\n'
DIAMOND = DATA + layer("left", "data", "a") + layer("right", "data", "b") + layer("again", "b", "b")
DIAMOND += layer("deep", "b", "c") + layer("sum", "a c", "d")


def laid(text: str) -> tuple[list[Node], Layout]:
    nodes = Net(read_net(text)).nodes
    return nodes, lay_out(nodes, [60.0 + len(node.name) for node in nodes])


def test_a_diamond() -> None:
    nodes, layout = laid(DIAMOND)
    stacks = [[nodes[i].name for i in placed.box.layers] for placed in layout.boxes]
    assert stacks == [["data"], ["left"], ["right", "again"], ["deep"], ["sum"]]
    data, left, right, deep, total = layout.boxes
    assert data.y < left.y == right.y < deep.y < total.y
    assert len(layout.lines) == 5
    # The line from left to sum passes deep by.
    (long,) = [line for line in layout.lines if len(line) == 4]
    assert not any(deep.x <= x <= deep.x + deep.box.width for x, _ in long[1:3])


@pytest.mark.parametrize("name", ["frcnn_test", "rfcn_test"])
def test_nets(name: str) -> None:
    nodes, layout = laid(str(NETS / f"{name}.prototxt"))
    shown = sorted(i for placed in layout.boxes for i in placed.box.layers)
    assert [nodes[i].name for i in shown] == [node.name for node in nodes if not node.inserted]
    for a, b in combinations(layout.boxes, 2):
        beside = a.x + a.box.width <= b.x or b.x + b.box.width <= a.x
        assert beside or a.y + a.box.height <= b.y or b.y + b.box.height <= a.y
    for placed in layout.boxes:
        assert 0 <= placed.x <= layout.width - placed.box.width
        assert placed.y + placed.box.height <= layout.height
    for line in layout.lines:
        assert [y for _, y in line] == sorted(y for _, y in line)


def test_no_layers() -> None:
    assert lay_out([], []) == Layout((), (), 0.0, 0.0)
