"""The suffix chooses the format, and not every format can hold every net."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.export.net_params import params_of, write_weights
from recaffe.prototxt.files import DIALECTS, DialectError
from recaffe.prototxt.files.write import WRITABLE, format_for
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import read_net

DATA = "layer { name: 'data' type: 'Input' top: 'data' input_param { shape { dim: 2 dim: 3 } } }\n"
FC = "layer {{ name: '{}' type: 'InnerProduct' bottom: '{}' top: '{}' inner_product_param {{ num_output: 5 }} }}\n"


def filled(text: str) -> Net:
    net = Net(read_net(text))
    net.fill()
    return net


@pytest.mark.parametrize("form", WRITABLE)
def test_suffixes(form: str) -> None:
    assert format_for(Path(f"some.folder/a.b{form}")).suffix == form


def test_other_suffixes_are_refused() -> None:
    with pytest.raises(PrototxtError, match=r"^a\.onnxx: no format has this suffix; there are \.caffemodel, "):
        format_for(Path("a.onnxx"))


@pytest.mark.parametrize("form", WRITABLE)
def test_a_net_without_params_is_refused(form: str, tmp_path: Path) -> None:
    net = filled("name: 'bare'\n" + DATA)
    with pytest.raises(PrototxtError, match="net 'bare' has no params to write"):
        write_weights(tmp_path / f"a{form}", net, params_of(net))


@pytest.mark.parametrize("form", WRITABLE)
def test_layers_of_one_name_need_keys_of_their_own(form: str, tmp_path: Path) -> None:
    net_text = read_net(DATA + FC.format("a", "data", "x") + FC.format("b", "x", "y") + FC.format("a", "y", "z"))
    net = Net(net_text)
    net.fill({("a", 0): torch.ones(5, 5)})
    if form in (".safetensors", ".pt"):
        write_weights(tmp_path / f"a{form}", net, params_of(net))
        twin = Net(net_text)
        twin.load(tmp_path / f"a{form}")
        assert all(torch.equal(a, b) for a, b in zip(net.parameters(), twin.parameters(), strict=True))
        return
    with pytest.raises(PrototxtError) as error:
        write_weights(tmp_path / f"a{form}", net, params_of(net))
    assert str(error.value) == (
        "<text>:2: layer 'a' (InnerProduct): an earlier layer of that name has params, too "
        "(rename one, or choose .safetensors or .pt)"
    )


def test_a_dialect_that_lacks_a_layer_leaves_no_file(tmp_path: Path) -> None:
    net = filled(DATA + FC.format("a", "data", "x") + "layer { name: 's' type: 'Swish' bottom: 'x' top: 'y' }\n")
    with pytest.raises(DialectError, match="Swish"):
        write_weights(tmp_path / "a.caffemodel", net, params_of(net), DIALECTS["microsoft"])
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_there_stays(tmp_path: Path) -> None:
    net = filled(DATA + FC.format("a", "data", "x"))
    (tmp_path / "a.caffemodel").write_text("mine")
    with pytest.raises(FileExistsError):
        write_weights(tmp_path / "a.caffemodel", net, params_of(net))
    assert (tmp_path / "a.caffemodel").read_text() == "mine"
