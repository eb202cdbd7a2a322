"""`recaffe anchors`: how anchors fit, and which would fit better."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recaffe.prototxt.net.net import Net
from recaffe.tools.main import main


@pytest.fixture(scope="session")
def folder(fixtures_dir: Path) -> Path:
    return fixtures_dir / "detection"


def anchors(folder: Path, *words: object) -> int:
    return main(["anchors", str(folder / "VOCdevkit2007"), *map(str, words)])


def test_the_proposed_fit_better(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = folder / "nets" / "frcnn.prototxt"
    words = ("--net", net, "--set", "TRAIN.SCALES", "[96]", "TRAIN.MAX_SIZE", "160")
    assert anchors(folder, *words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "present: scales 2, 4, 8; ratios 0.5, 1, 2"
    assert lines[1].startswith("  all         10 objects:  80.0% at 0.5,   0.0% at 0.7, mean overlap 0.549")
    assert lines[3].startswith("proposed: scales 2.")
    assert anchors(folder, *words, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["present"]["objects"] == report["proposed"]["objects"] == 10
    assert report["proposed"]["mean"] > report["present"]["mean"] + 0.1
    assert len(report["proposed"]["scales"]) == len(report["proposed"]["ratios"]) == 3


def test_the_param_str_can_be_pasted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert anchors(folder, "--count", 2, 4) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    old = "param_str: \"'feat_stride': 16\\n'scales': [2, 4, 8]\""
    text = (folder / "nets" / "rpn.prototxt").read_text()
    assert old in text
    text = text.replace(old, line[line.index("param_str") :]).replace("num_output: 18", "num_output: 16")
    text = text.replace("num_output: 36", "num_output: 32").replace("dim: 18", "dim: 16")
    net = Net.from_prototxt(text)
    assert len(net.layer("proposal").anchors) == 8


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--count", "0", "3"], "--count 0 3: at least one scale and one ratio"),
        (["--net", "{nets}/fast.prototxt"], "{nets}/fast.prototxt: has 0 proposal layers, and one tells the anchors"),
        (["--net", "a", "--scales", "2"], "--net has its own scales and ratios: drop --scales and --ratios"),
        (["--scales", "0"], "scales must be positive numbers, got (0.0,)"),
        (["--classes", "disc"], "{voc}/Annotations/000003.xml:18: class 'block' is unknown (known: disc)"),
    ],
)
def test_wrong_calls_are_one_line(
    words: list[str], line: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"nets": folder / "nets", "voc": folder / "VOCdevkit2007" / "VOC2007"}
    assert anchors(folder, *(word.format(**places) for word in words)) == 2
    assert capsys.readouterr().err == f"recaffe anchors: {line.format(**places)}\n"
