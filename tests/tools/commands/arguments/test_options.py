"""The arguments that several commands share."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest
import torch

from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.files.wire.dialects import DIALECTS
from recaffe.prototxt.net import Allow
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import read_net
from recaffe.tools.commands.arguments.options import (
    add_device,
    add_net,
    add_set,
    allowed,
    config_of,
    device_of,
    input_shapes,
    set_of,
)
from recaffe.tools.commands.errors import CommandError
from recaffe.tools.detection.measures.anchor_fit import AnchorSettings
from recaffe.tools.main import main


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_net(parser)
    return parser.parse_args(["net.prototxt", *words])


def test_the_defaults() -> None:
    args = parsed()
    assert (args.net, args.phase, args.level, args.stage, args.weights) == ("net.prototxt", "TEST", 0, [], None)
    assert allowed(args) == Allow()
    assert config_of(args)["TEST.RPN_POST_NMS_TOP_N"] == 300


def test_what_is_said_is_taken() -> None:
    args = parsed("--phase", "TRAIN", "--stage", "a", "--stage", "b", "--allow-unused")
    assert (args.phase, args.stage) == ("TRAIN", ["a", "b"])
    assert allowed(args) == Allow(unused=True)


def test_config_files_come_before_keys(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_text("TEST:\n  RPN_POST_NMS_TOP_N: 70\n  RPN_PRE_NMS_TOP_N: 800\n")
    config = config_of(parsed("--variant", "rfcn", "--cfg", str(path), "--set", "TEST.RPN_POST_NMS_TOP_N", "50"))
    assert (config["TEST.RPN_POST_NMS_TOP_N"], config["TEST.RPN_PRE_NMS_TOP_N"]) == (50, 800)
    assert config["VARIANT"] == "rfcn"


RFCN = """
layer { name: "input" type: "Input" top: "x" top: "rois"
        input_param { shape { dim: 1 dim: 12 dim: 5 dim: 7 } shape { dim: 6 dim: 5 } } }
layer { name: "pool" type: "PSROIPooling" bottom: "x" bottom: "rois" top: "y"
        psroi_pooling_param { spatial_scale: 0.0625 output_dim: 3 group_size: 2 } }
"""


def test_the_net_decides_the_variant_unless_it_is_said() -> None:
    rfcn, other = read_net(RFCN), read_net(RFCN.replace("PSROIPooling", "ROIPooling"))
    assert config_of(parsed(), rfcn)["VARIANT"] == "rfcn"
    assert config_of(parsed("--set", "TEST.AGNOSTIC", "True"), rfcn)["TEST.AGNOSTIC"] is True
    assert config_of(parsed(), other)["VARIANT"] == "frcnn"
    assert config_of(parsed("--variant", "frcnn"), rfcn)["VARIANT"] == "frcnn"
    assert config_of(parsed("--variant", "rfcn"), other)["VARIANT"] == "rfcn"
    assert Net.from_prototxt(RFCN).config["VARIANT"] == "rfcn"


@pytest.mark.parametrize("words", [("TEST.NO_SUCH", "1"), ("TEST.NMS", "'high'"), ("TEST.NMS",)])
def test_wrong_keys_are_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(PrototxtError):
        config_of(parsed("--set", *words))


def test_input_shapes() -> None:
    assert input_shapes(["data=1,3,600,1000", "a=b=7"]) == {"data": (1, 3, 600, 1000), "a=b": (7,)}
    assert input_shapes([]) == {}


@pytest.mark.parametrize("word", ["data", "=1,3", "data=", "data=1,x", "data=1,,3", "data=-1,3"])
def test_a_wrong_input_shape_is_refused(word: str) -> None:
    with pytest.raises(CommandError, match=rf"--input {word}: expected BLOB=N,C,H,W"):
        input_shapes([word])


def test_a_set_is_the_one_that_is_named(fixtures_dir: Path) -> None:
    parser = argparse.ArgumentParser()
    add_set(parser, "trainval")
    place = str(fixtures_dir / "detection" / "VOCdevkit2007")
    assert len(set_of(parser.parse_args([place])).pictures()) == 9
    assert len(set_of(parser.parse_args([place, "--image-set", ""])).pictures()) == 9
    named = set_of(parser.parse_args([place, "--image-set", "test", "--classes", "wedge,disc,block"]))
    assert named.classes == ("__background__", "wedge", "disc", "block")
    assert named.pictures()[0].name == "000019"


def test_a_device_is_the_processes_own(monkeypatch: pytest.MonkeyPatch) -> None:
    parser = argparse.ArgumentParser()
    add_device(parser)
    assert device_of(parser.parse_args([])) == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for name, value in (("RANK", "3"), ("WORLD_SIZE", "4"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(name, value)
    assert device_of(parser.parse_args(["--device", "cuda"])) == torch.device("cuda", 1)


def test_help_has_what_the_rooms_have(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Help is told without torch, so that it repeats what the rooms know."""
    monkeypatch.setenv("COLUMNS", "200")

    def told(name: str) -> str:
        with pytest.raises(SystemExit):
            main([name, "--help"])
        return " ".join(capsys.readouterr().out.split())

    dialects = " or ".join(", ".join(DIALECTS).rsplit(", ", 1))
    assert re.findall(r"read a \.caffemodel: (.*?) \(", told("port")) == [dialects]
    scales, ratios = (" ".join(f"{x:g}" for x in xs) for xs in (AnchorSettings.scales, AnchorSettings.ratios))
    assert re.findall(r"theirs \(default (.*?)\)", told("anchors")) == [scales, ratios]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            "test n w . --images .",
            "test: .: is a folder in VOC's layout, whose images are in JPEGImages: drop --images",
        ),
        ("anchors a.json", "anchors: a.json: say with --images FOLDER where its images are"),
        ("test n w a.json --classes voc", "test: a.json: COCO's file has its own classes: drop --classes"),
        ("summary n --set RNG_SEED", "summary: --set takes keys and values in turn: 'RNG_SEED' has no value"),
        ("summary n --set RNG 1", "summary: --set: unknown key 'RNG'; did you mean 'RNG_SEED'?"),
        ("port n w a.npz --dialect bvcl", "port: --dialect bvcl: there is no such dialect; did you mean 'bvlc'?"),
        ("surgery n w a a.npz --dialect x", "surgery: --dialect x: there is no such dialect; there are bvlc, "),
        ("data check . --allow tinny", "data: --allow tinny: there is no such kind of finding; did you mean 'tiny'?"),
        ("data check . --allow x", "data: --allow x: there is no such kind of finding; there are zero-based, "),
    ],
)
def test_refusals_name_flags(
    words: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.json").write_text("{}")
    Path("n").write_text(RFCN)
    assert main(words.split()) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"recaffe {line}")
    assert err.count("\n") == 1
