"""The arguments that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import read_net
from recaffe.tools.commands.arguments import add_net, allowed, config_of, input_shapes
from recaffe.tools.commands.errors import CommandError


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_net(parser)
    return parser.parse_args(["net.prototxt", *words])


def test_the_defaults() -> None:
    args = parsed()
    assert (args.net, args.phase, args.level, args.stage, args.weights) == ("net.prototxt", "TEST", 0, [], None)
    assert allowed(args) == {"allow_missing": False, "allow_unused": False, "allow_nonfinite": False}
    assert config_of(args)["TEST.RPN_POST_NMS_TOP_N"] == 300


def test_what_is_said_is_taken() -> None:
    args = parsed("--phase", "TRAIN", "--stage", "a", "--stage", "b", "--allow-unused")
    assert (args.phase, args.stage) == ("TRAIN", ["a", "b"])
    assert allowed(args) == {"allow_missing": False, "allow_unused": True, "allow_nonfinite": False}


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
