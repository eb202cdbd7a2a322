"""The script for the old machine, run on a stand-in for its pycaffe."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import h5py
import numpy as np
import pytest
import yaml

from recaffe.golden import dump_caffe
from recaffe.golden.compare import compare_blob
from recaffe.golden.fixture import Fixture
from recaffe.golden.fixture.find import find
from recaffe.golden.fixture.npz import read_npz
from recaffe.golden.run import WHOLE, discrete_blobs, verify
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import read_net

STAND_IN = Path(__file__).with_name("stand_in")
NETS = Path(__file__).parents[2] / "golden" / "fixtures" / "nets"
WIRES = ("_bottom_ids", "_top_ids")
NOTES = [
    "this pycaffe does not tell what layers take and give: the prototxt was asked",
    "no other program repeats Caffe's own draws: only dropout_ratio 0 compares: drop6",
]


@pytest.fixture
def caffe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModuleType]:
    """The stand-in, freshly imported, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(STAND_IN)
    yield importlib.import_module("caffe")
    for name in ("caffe", "fast_rcnn", "fast_rcnn.config"):
        del sys.modules[name]


def words(name: str, *more: object) -> list[str]:
    """The command line that makes a shipped fixture again: its net, params, arrays, config and seed."""
    source = Fixture.load(NETS / f"{name}.npz")
    config: dict[str, Any] = {}
    for key, value in source.config.items():
        section, _, last = key.rpartition(".")
        (config.setdefault(section, {}) if section else config)[last] = value
    Path("net.prototxt").write_text(source.prototxt)
    Path("cfg.yml").write_text(yaml.safe_dump(config))
    seed = 3 if source.rng_seed is None else source.rng_seed
    return list(
        map(str, ["net.prototxt", source.path, "--phase", source.phase, "--cfg", "cfg.yml", "--seed", seed, *more])
    )


def dump(name: str, *more: object) -> Fixture:
    """A shipped fixture made again."""
    assert dump_caffe.main(words(name, "--arrays", NETS / f"{name}.npz", *more)) == 0
    return Fixture.load(f"golden/{name}.{name.rpartition('_')[2]}.npz")


@pytest.mark.parametrize(("name", "age"), [("frcnn_test", "old"), ("frcnn_train", "new"), ("frcnn_train", "old")])
def test_a_shipped_fixture_comes_out_again(
    name: str, age: str, caffe: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    if age == "old":
        monkeypatch.delattr(caffe, "set_random_seed")
        for wire in WIRES:
            monkeypatch.delattr(caffe.Net, wire)
    want, have = Fixture.load(NETS / f"{name}.npz"), dump(name, "--backward", "--piece-mb", 0.5)
    assert (have.prototxt, have.phase, have.variant) == (want.prototxt, want.phase, want.variant)
    assert have.config.items() >= want.config.items()
    assert have.seed == (have.rng_seed if age == "new" else None)
    assert have.meta["notes"] == NOTES[age == "new" :][: 1 + (name == "frcnn_train")]
    net = Net(read_net(want.prototxt), want.phase)
    discrete = discrete_blobs(net)
    for kind in ("bottoms", "params", "tops", "diffs", "param_diffs"):
        for key, value in getattr(want, kind).items():
            exact = kind in ("bottoms", "params") or key in discrete
            result = compare_blob(f"{kind}/{key}", value, getattr(have, kind).get(key), WHOLE, exact=exact)
            assert result.ok, result
    assert list(have.tops) == [name for name in net.blob_shapes if name not in have.bottoms]
    assert (have.versions["conv5_1", 0] < 0).any()
    assert have.post == {}
    assert not set(have.diffs) & {"data", "im_info", "gt_boxes", "conv1_1"}
    for isolate in (False, True):
        report = verify(have, isolate)
        assert report.ok, [str(result) for result in report.results if not result.ok]
        assert any(result.key.startswith("version/") for result in report.results) is isolate


def test_the_generator_before_each_python_layer(caffe: ModuleType) -> None:
    have = dump("frcnn_train", "--set", "TRAIN.RPN_BATCHSIZE", 16)
    assert list(have.rng) == ["rpn-data", "proposal", "roi-data"]
    fresh = np.random.RandomState(14).get_state(legacy=True)
    assert have.rng["rpn-data"].tolist() == [*fresh[1], *fresh[2:]]
    assert (have.rng["proposal"] != have.rng["rpn-data"]).any()
    assert (have.rng["roi-data"] == have.rng["proposal"]).all()
    have.rng["roi-data"][:624] = have.rng["roi-data"][623::-1].copy()
    wrong = [result.key for result in verify(have, isolate=True).results if not result.ok]
    assert "rng/roi-data" in wrong
    assert {"top/rois", "top/rpn_labels"} - set(wrong) == {"top/rpn_labels"}


def test_a_wrong_value_inside_an_in_place_chain_is_found(caffe: ModuleType) -> None:
    have = dump("frcnn_test")
    have.versions["conv5_1", 0][0, 3] += 1
    assert [result.key for result in verify(have, isolate=True).results if not result.ok] == ["version/conv5_1/0"]


def test_what_is_told(caffe: ModuleType) -> None:
    meta = dump("frcnn_test", "--set", "TEST.NMS", "0.25", "--gpu", 1).meta
    assert meta["versions"]["numpy"] == np.__version__
    assert meta["versions"]["caffe"] == "stand-in"
    assert meta["config"]["TEST.NMS"] == 0.25
    assert meta["config"]["USE_GPU_NMS"] is False
    assert meta["sha256"]["frcnn_test.npz"] == dump_caffe.sha256(NETS / "frcnn_test.npz") == meta["input"][1]
    assert meta["gpu"] == 1
    assert caffe.seeds == [3]
    assert caffe.modes == [1, "gpu"]


def test_without_single_layers_the_whole_net_runs(caffe: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    forward = caffe.Net._forward
    monkeypatch.setattr(caffe.Net, "forward", lambda net: forward(net, 1, len(net.layers) - 1), raising=False)
    monkeypatch.delattr(caffe.Net, "_forward")
    have = dump("frcnn_test")
    assert (have.versions, have.rng) == ({}, {})
    assert have.meta["notes"][0].startswith("this pycaffe runs no single layers: ")
    assert verify(have).ok


def test_keywords_where_pycaffe_takes_no_other_form(caffe: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = caffe.Net.__init__

    def by_keyword(net: object, *, network_file: str, phase: int, weights: str) -> None:
        begin(net, network_file, weights, phase)

    monkeypatch.setattr(caffe.Net, "__init__", by_keyword)
    assert verify(dump("frcnn_test")).ok


def test_what_a_layer_raises_is_not_hidden(caffe: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: object, network_file: str, weights: str, phase: int) -> None:
        raise TypeError("a layer's own")

    monkeypatch.setattr(caffe.Net, "__init__", broken)
    with pytest.raises(TypeError, match="a layer's own"):
        dump("frcnn_test")


def files() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path("golden").iterdir()}


def test_a_run_that_broke_off_goes_on(
    caffe: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with np.load(NETS / "frcnn_test.npz") as source:
        for number in range(3):
            np.savez(f"{number}.npz", data=source["bottom/data"] + number, im_info=source["bottom/im_info"])
    call = words("frcnn_test", "--arrays", "0.npz", "1.npz", "2.npz", "--piece-mb", "0.5")
    assert dump_caffe.main(call) == 0
    whole, begin, nets = files(), caffe.Net.__init__, []
    for path in Path("golden").iterdir():
        path.unlink()

    def dies_with_the_second(self: object, *args: object) -> None:
        nets.append(self)
        if len(nets) == 2:
            raise KeyboardInterrupt
        begin(self, *args)

    monkeypatch.setattr(caffe.Net, "__init__", dies_with_the_second)
    capsys.readouterr()
    assert dump_caffe.main(call) == 2
    assert capsys.readouterr().err == "dump_caffe.py: interrupted; the same command goes on from here\n"
    assert {name[:7] for name in files()} == {"0.test."}
    Path("golden", "1.test.000.npz.part").write_bytes(b"what a killed run leaves")
    assert dump_caffe.main(call) == 0
    assert "[1/3] golden/0.test.npz: done before\n" in capsys.readouterr().out
    assert len(nets) == 4
    assert files() == whole


def test_pieces(caffe: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    whole, joined = dump("frcnn_test", "--out", "golden"), dump("frcnn_test", "--piece-mb", 0.4, "--force")
    names = sorted(files())
    assert names == [f"frcnn_test.test.{k:03}.npz" for k in range(len(names) - 1)] + ["frcnn_test.test.npz"]
    assert len(names) > 3
    for kind in ("params", "bottoms", "versions", "tops"):
        assert list(getattr(joined, kind)) == list(getattr(whole, kind))
        np.testing.assert_equal(getattr(joined, kind), getattr(whole, kind))
    assert [path.name for path in find(["golden"]).fixtures] == ["frcnn_test.test.npz"]
    assert find(["golden"]).others == []
    sizes = [sum(a.nbytes for a in read_npz(Path("golden", name)).values()) for name in names[:-1]]
    assert max(sizes) < 0.4e6 + 1000


def test_a_fixture_of_another_run_stays(caffe: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    dump("frcnn_test")
    before = files()
    source = NETS / "frcnn_test.npz"
    assert dump_caffe.main(words("frcnn_test", "--arrays", source, "--set", "TEST.RPN_POST_NMS_TOP_N", "20")) == 2
    line = "frcnn_test.test.npz: is there, made of another net, weights, input or options: --force replaces it\n"
    assert capsys.readouterr().err == f"dump_caffe.py: golden/{line}"
    assert files() == before
    assert dump("frcnn_test", "--set", "TEST.RPN_POST_NMS_TOP_N", "20", "--force").tops["rois"].shape == (20, 5)


def test_images_and_boxes(caffe: ModuleType) -> None:
    image = np.random.RandomState(2).randint(0, 256, (60, 90, 3)).astype(np.uint8)
    cv2.imwrite("a.png", image)
    Path("boxes.txt").write_text("b.png 1 2 3 4 1\na.png 10 5 70 50 3\n\na.png 0 0 44 59 1\n")
    more = ("--images", "a.png", "--boxes", "boxes.txt", "--sides", "112", "150")
    assert dump_caffe.main(words("frcnn_train", *more)) == 0
    have = Fixture.load("golden/a.train.npz")
    scale = 150 / 90
    less = image.astype(np.float32) - np.float32([102.9801, 115.9465, 122.7717])
    want = cv2.resize(less, None, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    assert np.array_equal(have.bottoms["data"], want.transpose(2, 0, 1)[None])
    assert np.array_equal(have.bottoms["im_info"], np.float32([[100, 150, scale]]))
    boxes = np.float32([[10, 5, 70, 50, 3], [0, 0, 44, 59, 1]])
    assert np.array_equal(have.bottoms["gt_boxes"], boxes * np.float32([scale] * 4 + [1]))
    assert verify(have, isolate=True).ok


def test_the_image_without_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.random.RandomState(2).uniform(-128, 128, (37, 53, 3)).astype(np.float32)
    for down, across in ((1.7, 1.7), (0.6, 0.6), (1.3, 0.4)):
        want = dump_caffe.resize(image, down, across)
        with monkeypatch.context() as here:
            here.setitem(sys.modules, "cv2", None)
            have = dump_caffe.resize(image, down, across)
        assert have.dtype == np.float32
        assert compare_blob("data", want, have, 1e-5).ok


def test_data_layers_that_run_themselves(caffe: ModuleType) -> None:
    values = np.arange(24, dtype=np.float32).reshape(4, 3, 2)
    with h5py.File("a.h5", "w") as file:
        file["data"] = values
    Path("list.txt").write_text("a.h5\n")
    Path("net.prototxt").write_text(
        'layer { name: "in" type: "HDF5Data" top: "data" hdf5_data_param { source: "list.txt" batch_size: 1 } }\n'
        'layer { name: "w" type: "Parameter" top: "w" parameter_param { shape { dim: 1 dim: 3 dim: 2 } } }\n'
        'layer { name: "sum" type: "Eltwise" bottom: "data" bottom: "w" top: "sum" }'
    )
    np.savez("w.npz", **{"param/w/0": values[:1]})
    assert dump_caffe.main(["net.prototxt", "w.npz", "--batches", "3"]) == 0
    for number in range(3):
        have = Fixture.load(f"golden/batch{number}.test.npz")
        assert np.array_equal(have.bottoms["data"], values[number : number + 1])
        assert list(have.tops) == ["w", "sum"]
        assert verify(have).ok


@pytest.mark.parametrize(
    ("name", "more", "line"),
    [
        ("frcnn_test", ["--arrays", "no.npz"], "no.npz: no such file"),
        ("frcnn_test", ["--arrays", "cfg.yml"], "cfg.yml: is no .npz file, or one cut short"),
        ("frcnn_test", ["--arrays", "a/x.npz", "x.npz"], "two files are named x, and so would be their fixtures"),
        ("frcnn_test", ["--arrays", "x.npz"], "x.npz has an array for x, but this net takes data, im_info"),
        ("frcnn_test", ["--batches", "1"], "no array for data: this net takes data, im_info (see --arrays)"),
        ("frcnn_test", ["--images", "cfg.yml"], "cfg.yml: is no image that OpenCV can read"),
        ("frcnn_test", ["--batches", "1", "--lib", "no"], "--lib no: no such folder"),
        (
            "frcnn_train",
            ["--images", "a.png"],
            "this net takes gt_boxes: give lines `IMAGE x1 y1 x2 y2 CLASS` in a file with --boxes",
        ),
        (
            "frcnn_train",
            ["--images", "a.png", "--boxes", "cfg.yml"],
            "cfg.yml: needs lines `a.png x1 y1 x2 y2 CLASS`, one at least",
        ),
    ],
)
def test_a_wrong_call_is_one_line(
    name: str, more: list[str], line: str, caffe: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("a").mkdir()
    for path in ("x.npz", "a/x.npz"):
        np.savez(path, x=np.zeros(3))
    cv2.imwrite("a.png", np.zeros((20, 30, 3), np.uint8))
    assert dump_caffe.main(words(name, *more)) == 2
    assert capsys.readouterr().err == f"dump_caffe.py: {line}\n"
    assert not Path("golden").exists() or files() == {}


def test_no_pycaffe(caffe: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "caffe", None)
    assert dump_caffe.main(words("frcnn_test", "--batches", "1")) == 2
    assert capsys.readouterr().err.endswith("): name the folder that holds it with --lib\n")
