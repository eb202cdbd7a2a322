from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from recaffe.layers.base.registry import registered
from recaffe.prototxt.text.config import Config, ConfigError, variant_of

END2END = """
EXP_DIR: faster_rcnn_end2end
TRAIN:
  HAS_RPN: True
  IMS_PER_BATCH: 1
  BG_THRESH_LO: 0.0
  SCALES: !!python/tuple [400, 500]
TEST:
  HAS_RPN: True
"""


def test_each_variant_has_its_keys() -> None:
    frcnn, rfcn = Config.default().keys(), Config.default("rfcn").keys()
    assert len(frcnn) == 57 - 2  # the originals count the two sections too
    assert len(rfcn) == 62 - 2
    assert set(rfcn) - set(frcnn) == {
        "TRAIN.AGNOSTIC",
        "TEST.AGNOSTIC",
        "TRAIN.RPN_NORMALIZE_TARGETS",
        "TRAIN.RPN_NORMALIZE_MEANS",
        "TRAIN.RPN_NORMALIZE_STDS",
    }


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("TRAIN.SCALES", (600,)),
        ("TRAIN.IMS_PER_BATCH", 2),
        ("TRAIN.BG_THRESH_LO", 0.1),
        ("TRAIN.RPN_PRE_NMS_TOP_N", 12000),
        ("TEST.RPN_PRE_NMS_TOP_N", 6000),
        ("TEST.NMS", 0.3),
        ("PIXEL_MEANS", (102.9801, 115.9465, 122.7717)),
        ("DEDUP_BOXES", 0.0625),
        ("TRAIN.AGNOSTIC", False),
        ("USE_GPU_NMS", False),
        ("VARIANT", "frcnn"),
    ],
)
def test_defaults(key: str, value: Any) -> None:
    assert Config.default()[key] == value


def test_every_key_that_a_layer_reads_is_there() -> None:
    keys = {key for cls in registered().values() for key in cls.config.values()}
    assert len(keys) > 25
    for key in keys:
        for phase in ("TRAIN", "TEST"):
            Config.default()[key.format(phase=phase)]


def test_yaml_is_merged_and_nothing_else_changes(tmp_path: Path) -> None:
    path = tmp_path / "end2end.yml"
    path.write_text(END2END)
    before = Config.default()
    config = before.with_yaml(path)
    assert config["EXP_DIR"] == "faster_rcnn_end2end"
    assert config["TRAIN.SCALES"] == (400, 500)
    assert config["TRAIN.BG_THRESH_LO"] == 0.0
    assert config["TEST.HAS_RPN"] is True
    keys = config.keys()
    changed = {key for key in keys if config[key] != before[key]}
    assert changed == {
        "EXP_DIR", "TRAIN.HAS_RPN", "TRAIN.IMS_PER_BATCH", "TRAIN.BG_THRESH_LO", "TRAIN.SCALES", "TEST.HAS_RPN",
    }  # fmt: skip
    assert before == Config.default()


def test_a_configuration_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config.default().TRAIN.MAX_SIZE = 5  # type: ignore[misc]


def test_an_empty_yaml_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.yml").write_text("# nothing\n")
    assert Config.default().with_yaml(tmp_path / "empty.yml") == Config.default()


def test_set_reads_literals_and_else_text() -> None:
    pairs = ["TRAIN.SCALES", "[400, 500]", "EXP_DIR", "mine", "RNG_SEED", "42", "TRAIN.HAS_RPN", "True"]
    config = Config.default().with_set([*pairs, "PIXEL_MEANS", "[[[1, 2.5, 3]]]", "TRAIN.FG_THRESH", "1"])
    assert [config[key] for key in pairs[::2]] == [(400, 500), "mine", 42, True]
    assert config["PIXEL_MEANS"] == (1.0, 2.5, 3.0)
    assert isinstance(config["TRAIN.FG_THRESH"], float)


def test_flat_keys_and_the_other_variant() -> None:
    config = Config.default("rfcn").with_flat({"TRAIN.AGNOSTIC": True, "TRAIN.RPN_NORMALIZE_MEANS": [1, 2, 3, 4]})
    assert config["VARIANT"] == "rfcn"
    assert config["TRAIN.AGNOSTIC"] is True
    assert config["TRAIN.RPN_NORMALIZE_MEANS"] == (1.0, 2.0, 3.0, 4.0)


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        (["TRAIN.SCALE", "[4]"], "with_set: unknown key 'TRAIN.SCALE'; did you mean 'TRAIN.SCALES'?"),
        (["TRAIN", "4"], "with_set: unknown key 'TRAIN'"),
        (["VARIANT", "rfcn"], "with_set: unknown key 'VARIANT'"),
        (["TRAIN.HAS_RPN", "true"], "with_set: TRAIN.HAS_RPN wants bool, got str 'true'"),
        (["TRAIN.HAS_RPN", "1"], "with_set: TRAIN.HAS_RPN wants bool, got int 1"),
        (["RNG_SEED", "True"], "with_set: RNG_SEED wants int, got bool True"),
        (["TRAIN.MAX_SIZE", "1000.0"], "with_set: TRAIN.MAX_SIZE wants int, got float 1000.0"),
        (["EXP_DIR", "42"], "with_set: EXP_DIR wants str, got int 42"),
        (["TRAIN.SCALES", "600"], "with_set: TRAIN.SCALES wants a list of 1 or more int, got 600"),
        (["TRAIN.SCALES", "[]"], "with_set: TRAIN.SCALES wants a list of 1 or more int, got []"),
        (["TRAIN.SCALES", "[400, 'big']"], "with_set: TRAIN.SCALES wants int, got str 'big'"),
        (["TRAIN.BBOX_NORMALIZE_STDS", "(1, 2)"], "with_set: TRAIN.BBOX_NORMALIZE_STDS wants a list of 4 float"),
        (["TRAIN.AGNOSTIC", "True"], "with_set: TRAIN.AGNOSTIC is py-R-FCN's; use the variant rfcn"),
        (["EXP_DIR", "mine", "RNG_SEED"], "with_set takes keys and values in turn: 'RNG_SEED' has no value"),
    ],
)
def test_wrong_keys_and_values_are_refused(pairs: list[str], reason: str) -> None:
    with pytest.raises(ConfigError) as error:
        Config.default().with_set(pairs)
    assert str(error.value).startswith(reason)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("TRAIN: 5\n", "TRAIN is a section of keys, got 5"),
        ("TRAIN:\n  HAS_RPM: True\n", "unknown key 'TRAIN.HAS_RPM'; did you mean 'TRAIN.HAS_RPN'?"),
        ("TRAIN: [unclosed\n", "is not YAML"),
        ("- 1\n", "is not a mapping"),
        ("TRAIN:\n  RPN_POSITIVE_WEIGHT: .nan\n", "TRAIN.RPN_POSITIVE_WEIGHT wants float, got float nan"),
    ],
)
def test_wrong_yaml_is_refused_with_its_file(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "wrong.yml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        Config.default().with_yaml(path)
    assert str(error.value).startswith(f"{path}: {reason}")
    assert "\n" not in str(error.value)


def test_a_missing_file_and_an_unknown_variant_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        Config.default().with_yaml(tmp_path / "none.yml")
    with pytest.raises(ConfigError, match="unknown variant 'ssd'"):
        Config.default("ssd")
    with pytest.raises(ConfigError, match=r"unknown key 'TRAIN\.NMS'"):
        Config.default()["TRAIN.NMS"]


@pytest.mark.parametrize("name", ["PSROIPooling", "BoxAnnotatorOHEM", "SoftmaxWithLossOHEM", "SmoothL1LossOHEM"])
def test_a_type_of_r_fcns_caffe_tells_the_variant(name: str) -> None:
    assert variant_of(["Convolution", name]) == "rfcn"
    assert variant_of(["Convolution", "ROIPooling", "SmoothL1Loss", "Python"]) == "frcnn"
