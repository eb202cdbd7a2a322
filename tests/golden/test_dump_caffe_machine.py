"""What the script for the old machine meets there: no GPU's NMS, no YAML, other encodings."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from recaffe.golden import dump_caffe
from recaffe.golden.fixture import Fixture
from recaffe.prototxt.text.read import read_net

STAND_IN = Path(__file__).with_name("stand_in")


@pytest.mark.parametrize("wrapper", ["lacking", "guarded", "built"])
def test_no_gpu_build_of_nms_is_needed(wrapper: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The originals' nms_wrapper imports gpu_nms first; teams without a GPU have guarded that import."""
    source = "from nms.gpu_nms import gpu_nms\n"
    if wrapper == "guarded":
        source = "try:\n    from nms.gpu_nms import gpu_nms\nexcept ImportError:\n    gpu_nms = None\n"
    folders = (tmp_path / "nms", tmp_path / "more")
    for folder in folders:
        folder.mkdir()
    (folders[0] / "__init__.py").touch()
    (folders[0] / "cpu_nms.py").write_text("def cpu_nms(dets, thresh):\n    return []\n")
    if wrapper == "built":
        (folders[0] / "gpu_nms.py").write_text("def gpu_nms(dets, thresh):\n    return []\n")
    (folders[1] / "nms_wrapper.py").write_text(source + "from nms.cpu_nms import cpu_nms\n")
    monkeypatch.syspath_prepend(STAND_IN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(
        importlib.import_module("fast_rcnn"), "__path__", [str(STAND_IN / "fast_rcnn"), str(folders[1])]
    )
    config = importlib.import_module("fast_rcnn.config")
    monkeypatch.setitem(config.cfg, "USE_GPU_NMS", True)
    try:
        made = dump_caffe.load_config(dump_caffe.parser().parse_args(["a", "b", "--batches", "1"]))
        assert made["USE_GPU_NMS"] is (wrapper == "built")
        assert importlib.import_module("fast_rcnn.nms_wrapper").cpu_nms([], 0.5) == []
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] in ("nms", "fast_rcnn")]:
            del sys.modules[name]


def test_a_train_net_without_its_yaml_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*args: object) -> None:
        raise IndexError("list index\nout of range")

    monkeypatch.setattr(dump_caffe, "dump", failing)
    words = ["net.prototxt", "net.caffemodel", "--batches", "1", "--phase"]
    for more, config in ((["TEST"], {}), (["TRAIN"], None), (["TRAIN", "--cfg", "a.yml"], {})):
        kit = dump_caffe.Kit(dump_caffe.parser().parse_args(words + more), None, config, "", {})
        with pytest.raises(IndexError):
            dump_caffe.dump_or_tell(kit, None, None)
    kit = dump_caffe.Kit(dump_caffe.parser().parse_args([*words, "TRAIN"]), None, {}, "", {})
    told = (
        r"^a layer failed \(IndexError: list index out of range\); a TRAIN net needs the YAML it is trained by: "
        r"name it with --cfg$"
    )
    with pytest.raises(dump_caffe.KitError, match=told):
        dump_caffe.dump_or_tell(kit, None, None)


def test_a_prototxt_that_is_not_utf8_goes_into_the_fixture_as_it_is(tmp_path: Path) -> None:
    content = "# 卷积\nlayer { name: 'x' type: 'Input' top: 'x' }".encode("gbk") + b" # caf\xe9"
    (tmp_path / "net.prototxt").write_bytes(content)
    writer = dump_caffe.Writer(str(tmp_path / "a.npz"), 1000)
    writer.add("top/x", np.zeros(3, np.float32))
    prototxt = dump_caffe.read_text(str(tmp_path / "net.prototxt"))
    writer.close(prototxt=dump_caffe.text(prototxt), phase=np.array("TEST"), rng_seed=np.int64(3))
    fixture = Fixture.load(tmp_path / "a.npz")
    assert fixture.prototxt.encode("utf-8", "surrogateescape") == content
    assert [layer.name for layer in read_net(fixture.prototxt).net.layer] == ["x"]
    assert [layer.name for layer in dump_caffe.read_layers(prototxt)] == ["x"]


def test_boxes_of_images_that_are_named_in_gbk(tmp_path: Path) -> None:
    image = "图.jpg".encode("gbk")
    (tmp_path / "boxes.txt").write_bytes(image + b" 1 2 3 4 5\n")
    boxes = dump_caffe.read_boxes(str(tmp_path / "boxes.txt"), image.decode("utf-8", "surrogateescape"))
    assert boxes.tolist() == [[1, 2, 3, 4, 5]]
