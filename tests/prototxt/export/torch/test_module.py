"""Written modules give Caffe's own blobs, for every layer type and for whole nets, and read well."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from recaffe.golden.compare import compare_blob
from recaffe.golden.fixture import Fixture
from recaffe.golden.limits import FORWARD, WHOLE, discrete_blobs
from recaffe.golden.proof.model import prove
from recaffe.golden.proof.python_run import PythonRun
from recaffe.prototxt.export.refusals import ExportError
from recaffe.prototxt.export.torch.module import Written, write_module, write_python
from recaffe.prototxt.export.torch.writers import WRITERS
from recaffe.prototxt.files.weights import Floats
from recaffe.prototxt.net.fold import fold
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.config import Config
from recaffe.prototxt.text.read import read_net

FIXTURES = Path(__file__).parents[4] / "golden" / "fixtures"
WITHOUT_CODE = {"Input", "Silence", "Split"}


def built(fixture: Fixture) -> Net:
    net = Net(
        read_net(fixture.prototxt), fixture.phase, config=Config.default(fixture.variant).with_flat(fixture.config)
    )
    net.fill({place: torch.from_numpy(np.array(value)) for place, value in fixture.params.items()})
    return net


def written(net: Net, folded: bool = False) -> Written:
    return write_module(net.graph.name, fold(net.parts).parts if folded else net.parts, net.inputs, net.outputs)


def module(net: Net, folder: Path, folded: bool = False) -> PythonRun:
    path = folder / "net.py"
    write_python(path, written(net, folded))
    return PythonRun(path)


def agrees(fixture: Fixture, net: Net, have: Mapping[str, Floats], tolerance: float) -> None:
    """Every blob of a fixture but the copies that a Split makes."""
    copies = {top for node in net.nodes if node.type == "Split" for top in node.tops}
    for blob in set(fixture.tops) - copies:
        result = compare_blob(blob, fixture.tops[blob], have.get(blob), tolerance, exact=blob in discrete_blobs(net))
        assert result.ok, str(result)


def one_layer() -> list[str]:
    """The fixtures of layers that can be written and do not need TRAIN."""
    names, known = [], {cls.type for cls in WRITERS.writers()}
    for path in sorted((FIXTURES / "layers").glob("*.npz")):
        fixture = Fixture.load(path)
        types = {layer.type for layer in read_net(fixture.prototxt).net.layer} - WITHOUT_CODE
        if types <= known and not (types & {"BatchNorm", "Dropout", "Pooling"} and fixture.phase == "TRAIN"):
            names.append(path.stem)
    return names


LAYERS = one_layer()
assert len(LAYERS) > 70


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_gives_caffes_tops(name: str, tmp_path: Path) -> None:
    fixture = Fixture.load(FIXTURES / "layers" / f"{name}.npz")
    net = built(fixture)
    feed = {blob: torch.from_numpy(np.array(fixture.bottoms[blob])) for blob in net.inputs}
    agrees(fixture, net, module(net, tmp_path).chained(feed), FORWARD)


@pytest.mark.parametrize("name", ["frcnn_test", "rfcn_test"])
def test_a_net_gives_caffes_blobs(name: str, tmp_path: Path) -> None:
    fixture = Fixture.load(FIXTURES / "nets" / f"{name}.npz")
    net = built(fixture)
    run = module(net, tmp_path)
    feed = {blob: torch.from_numpy(np.array(fixture.bottoms[blob])) for blob in net.inputs}
    agrees(fixture, net, run.chained(feed), WHOLE)
    assert len(prove(net, run)) == 2


def test_a_module_stands_alone(tmp_path: Path) -> None:
    net = Net.from_prototxt(FIXTURES / "nets/frcnn_test.prototxt", weights=FIXTURES / "nets/frcnn_test.caffemodel")
    write_python(tmp_path / "net.py", written(net))
    code = "import sys; sys.modules['recaffe'] = None; import torch, net; "
    code += "print(*net.load()(torch.ones(1, 3, 90, 130), torch.tensor([[90., 130., 1.]])))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "bbox_pred cls_prob\n", done.stderr
    style = [Path(sys.executable).parent / "ruff", "check", "--isolated", "--line-length=120", tmp_path / "net.py"]
    assert subprocess.run(style, capture_output=True).returncode == 0
    style = [Path(sys.executable).parent / "ruff", "format", "--isolated", "--line-length=120", "--check"]
    assert subprocess.run([*style, tmp_path / "net.py"], capture_output=True).returncode == 0


def test_folded_batch_norms_leave_no_line(tmp_path: Path) -> None:
    fixture = Fixture.load(FIXTURES / "nets/rfcn_test.npz")
    net = built(fixture)
    assert "BatchNorm" not in written(net, folded=True).text
    told = prove(net, module(net, tmp_path, folded=True))
    assert [line.partition(" the same")[0] for line in told] == ["47 blobs", "47 blobs"]


def test_names_are_pythons_and_each_is_one_things() -> None:
    text = (
        "layer { name: 'x' type: 'Input' top: 'F' top: '3/x' top: 'class' input_param { shape { dim: 2 dim: 3 } } }\n"
    )
    for name, bottom, top in [("forward", "F", "3_x"), ("a.b", "3/x", "keep"), ("a/b", "class", "mvn")]:
        text += f"layer {{ name: '{name}' type: 'InnerProduct' bottom: '{bottom}' top: '{top}' "
        text += "inner_product_param { num_output: 5 } }\n"
    net = Net.from_prototxt(text)
    result = written(net)
    assert "def forward(self, F_: Tensor, _3_x: Tensor, class_: Tensor, keep" in result.text
    assert result.renamed == {"forward": "forward_", "a.b": "a_b", "a/b": "a_b_"}
    assert "        mvn_ = self.a_b_(class_)  # a/b: InnerProduct\n" in result.text
    compile(result.text, "net.py", "exec")


def test_what_is_shared_stays_shared(tmp_path: Path) -> None:
    home = FIXTURES / "formats"
    net = Net.from_prototxt(home / "lenet.prototxt", weights=home / "lenet.caffemodel")
    run = module(net, tmp_path)
    assert run.net.ip3.weight is run.net.ip1.weight
    assert prove(net, run) == ["8 blobs the same on a random input", "8 blobs the same on a blank input"]


def test_flatten_puts_an_axis_in(tmp_path: Path) -> None:
    text = "layer { name: 'x' type: 'Input' top: 'x' input_param { shape { dim: 2 dim: 3 dim: 4 } } }\n"
    net = Net.from_prototxt(
        text + "layer { name: 'f' type: 'Flatten' bottom: 'x' top: 'f' flatten_param { axis: 2 end_axis: 1 } }"
    )
    feed = {"x": torch.randn(2, 3, 4)}
    have = module(net, tmp_path).chained(feed)["f"]
    assert have.shape == net.blob_shapes["f"] == (2, 3, 1, 4)
    assert np.array_equal(np.asarray(have)[:, :, 0], feed["x"].numpy())


def test_the_largest_of_items_of_one_number(tmp_path: Path) -> None:
    text = "layer { name: 'x' type: 'Input' top: 'x' input_param { shape { dim: 4 } } }\n"
    net = Net.from_prototxt(text + "layer { name: 'm' type: 'ArgMax' bottom: 'x' top: 'm' }")
    assert prove(net, module(net, tmp_path))


def test_in_place_on_a_copy_leaves_the_others(tmp_path: Path) -> None:
    text = "layer { name: 'x' type: 'Input' top: 'x' input_param { shape { dim: 2 dim: 3 } } }\n"
    text += "layer { name: 's' type: 'Split' bottom: 'x' top: 'a' top: 'b' }\n"
    net = Net.from_prototxt(text + "layer { name: 'r' type: 'ReLU' bottom: 'b' top: 'b' }")
    feed = {"x": torch.tensor([[-1.0, 2, -3], [4, -5, 6]])}
    run = module(net, tmp_path)
    outputs = run.net(feed["x"])
    assert torch.equal(outputs["a"], feed["x"])
    assert torch.equal(outputs["b"], feed["x"].relu())
    assert prove(net, run)


def test_the_batchs_statistics_have_no_code() -> None:
    text = "layer { name: 'in' type: 'Input' top: 'x' input_param { shape { dim: 2 dim: 3 } } }\n"
    text += "layer { name: 'odd' type: 'BatchNorm' bottom: 'x' top: 'z' batch_norm_param { use_global_stats: false } }"
    with pytest.raises(ExportError, match=r"2: layer 'odd' .* as PyTorch code: it takes the batch's statistics: port"):
        written(Net.from_prototxt(text))
