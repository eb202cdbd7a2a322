from pathlib import Path

import pytest

from recaffe.prototxt.text.read import print_text, read_net, read_solver
from recaffe.prototxt.zoo.catalog import MODELS, make_net
from recaffe.prototxt.zoo.rpn import DetectionTask
from recaffe.prototxt.zoo.solvers import make_solver
from recaffe.tools.main import main


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["zoo", *words]) == 0
    return capsys.readouterr().out


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line.split() for line in printed(capsys).splitlines()]
    assert {line[0] for line in lines} == set(MODELS)
    assert ["zf", "stage1-fast-rcnn", "TRAIN"] in lines


def test_a_net_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["vgg16", "--classes", "4", "--scales", "4", "8", "--ratios", "0.5", "1", "--phase", "train"]
    net = read_net(printed(capsys, *words)).net
    assert net == read_net(print_text(make_net("vgg16", phase="TRAIN", task=DetectionTask(4, (4, 8), (0.5, 1))))).net
    strings = {layer.name: layer.python_param.param_str for layer in net.layer if layer.type == "Python"}
    assert strings["roi-data"] == "'num_classes': 4"
    anchors = "'feat_stride': 16 \n'scales': !!python/tuple [4, 8] \n'ratios': !!python/tuple [0.5, 1]"
    assert strings["proposal"] == strings["rpn-data"] == anchors


def test_a_data_set_brings_its_settings(capsys: pytest.CaptureFixture[str]) -> None:
    layers = {layer.name: layer for layer in read_net(printed(capsys, "vgg16", "--dataset", "coco")).net.layer}
    assert layers["cls_score"].inner_product_param.num_output == 81
    assert layers["rpn_cls_score"].convolution_param.num_output == 24
    assert "drop6" not in layers


def test_a_solver_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "resnet50", "--scheme", "end2end-ohem", "--solver", "--train-net", "a/b.prototxt")
    assert read_solver(text) == make_solver("resnet50", "end2end-ohem", train_net="a/b.prototxt")


def test_a_file_is_written_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "zf.prototxt"
    words = ["zf", "--output", str(path)]
    assert printed(capsys, *words) == ""
    text = path.read_text()
    assert text == printed(capsys, "zf")
    path.write_text("mine")
    assert main(["zoo", *words]) == 2
    assert capsys.readouterr().err == f"recaffe zoo: {path}: exists already (--force replaces it)\n"
    assert path.read_text() == "mine"
    assert printed(capsys, *words, "--force") == ""
    assert path.read_text() == text
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["vgg"],
            "no model 'vgg' in the zoo (known: vgg16, zf, vgg_cnn_m_1024, resnet50, resnet101, small, small_rfcn)",
        ),
        (["zf", "--classes", "1"], "--classes 1: at least 2, the background and one more"),
        (["zf", "--scales", "8", "0"], "--scales 0: more than 0"),
        (["zf", "--solver", "--phase", "test"], "--solver: a solver has no phase; leave out --phase"),
        (["zf", "--output", "no/such/file"], "no/such/"),
    ],
)
def test_a_wrong_call_is_one_line(words: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", *words]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"recaffe zoo: {line}")
    assert err.count("\n") == 1
