"""Old nets and solvers beside what Caffe's own upgrade tools made of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recaffe.prototxt.caffe_pb2 import NetParameter, SolverParameter, V1LayerParameter
from recaffe.prototxt.text.read import parse, read_net
from recaffe.prototxt.text.upgrade import V1_TYPES, V1_TYPES_BY_NUMBER, upgrade_net, upgrade_solver
from recaffe.prototxt.text.upgrade_v0 import UpgradeError

FOLDER = Path(__file__).parents[3] / "golden" / "fixtures" / "upgrade"

REFUSALS = {
    "solver_both_types_dies": "the solver has both type and the old solver_type: keep type alone",
    "v0_padding_misuse": "layer 'r': a relu cannot take a padding layer's top; only conv and pool can",
    "v0_unknown_type": "layer 'odd': V0 has no type 'deconv'; did you mean 'conv'? (known: accuracy, bnll, ",
    "v1_mixed_dies": "the net has both layers { } (first 'r') and layer { } (first 'r2'), an old and a new form that ",
}


def cases(pattern: str) -> list[str]:
    """The names of the fixtures; none at all is an error, not a pass."""
    names = sorted(path.name.split(".")[0] for path in FOLDER.glob(pattern))
    if not names:
        raise FileNotFoundError(f"no {pattern} in {FOLDER}")
    return names


def net(text: str) -> NetParameter:
    return parse(text, NetParameter())


@pytest.mark.parametrize("name", cases("*.json"))
def test_text_agrees_with_caffe(name: str) -> None:
    is_solver = json.loads((FOLDER / f"{name}.json").read_text())["tool"] == "upgrade_solver_proto_text"
    old = parse((FOLDER / f"{name}.old.prototxt").read_text(), SolverParameter() if is_solver else NetParameter())
    expected = FOLDER / f"{name}.new.prototxt"
    if expected.exists():
        upgrade_solver(old) if isinstance(old, SolverParameter) else upgrade_net(old)
        assert old == parse(expected.read_text(), type(old)())
    else:
        with pytest.raises(UpgradeError) as error:
            upgrade_solver(old) if isinstance(old, SolverParameter) else upgrade_net(old)
        assert str(error.value).startswith(REFUSALS[name])


@pytest.mark.parametrize("name", cases("*.old.caffemodel"))
def test_weights_agree_with_caffe(name: str) -> None:
    old = NetParameter.FromString((FOLDER / f"{name}.old.caffemodel").read_bytes())
    new = NetParameter.FromString((FOLDER / f"{name}.new.caffemodel").read_bytes())
    assert upgrade_net(old)
    assert old == new
    assert sum(len(blob.data) for layer in old.layer for blob in layer.blobs) > 100


@pytest.mark.parametrize("name", cases("*.new.prototxt"))
def test_what_is_new_stays_as_it_is(name: str) -> None:
    if name.startswith("solver"):
        solver = parse((FOLDER / f"{name}.new.prototxt").read_text(), SolverParameter())
        assert upgrade_solver(solver) == []
    else:
        text = (FOLDER / f"{name}.new.prototxt").read_text()
        new = net(text)
        assert upgrade_net(new) == []
        assert new == net(text)


def test_every_v1_type_has_todays_name() -> None:
    assert sorted(V1_TYPES) == sorted(V1LayerParameter.LayerType.keys())
    assert V1_TYPES_BY_NUMBER[21] == "SoftmaxWithLoss"
    assert V1_TYPES_BY_NUMBER[39] == "Deconvolution"


def test_notes_name_what_was_done_and_lost() -> None:
    text = read_net(FOLDER / "v0_wrong_fields.old.prototxt")
    assert text.notes == (
        "V0 layers are V1 layers now",
        "dropped num_output, stride, dropout_ratio of layer 'r': not read there in a V0 relu",
        "dropped kernelsize of layer 'i': not read there in a V0 innerproduct",
        "V1 layers are today's layers now",
        "input x is the Input layer 'input' now",
    )


def test_v0_drops_new_layers_but_tells() -> None:
    old = net('layers { layer { name: "s" type: "split" } } layer { name: "n" type: "ReLU" } state { phase: TRAIN }')
    assert "dropped state, layer of the net: V0 has none" in upgrade_net(old)
    assert [layer.name for layer in old.layer] == ["s"]


def test_v1_layer_inside_a_v0_net_keeps_its_blobs_only() -> None:
    old = net(
        'input: "x" layers { layer { name: "r" type: "relu" } bottom: "x" } layers { name: "p" bottom: "x" top: "y" }'
    )
    assert "dropped name of layer 'p': not read there in a net of V0 layers" in upgrade_net(old)
    assert old.layer[1] == net('layer { bottom: "x" top: "y" }').layer[0]


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            'layers { layer { name: "c" type: "conv" } bottom: "y" }',
            "layer 'c': bottom 'y' is no top of an earlier layer and no input",
        ),
        (
            'layers { layer { name: "p" type: "padding" } bottom: "x" top: "a" top: "b" }'
            'layers { layer { name: "c" type: "conv" } bottom: "a" }',
            "layer 'p': needs one top where padding is folded, has 2",
        ),
        (
            'layers { layer { name: "p" type: "padding" } bottom: "x" top: "a" }'
            'layers { layer { name: "c" type: "conv" } bottom: "a" bottom: "x" }',
            "layer 'c': needs one bottom where padding is folded, has 2",
        ),
    ],
)
def test_v0_wiring_that_caffe_dies_of(layers: str, message: str) -> None:
    with pytest.raises(UpgradeError) as error:
        upgrade_net(net(f'input: "x" {layers}'))
    assert str(error.value) == message


def test_refusal_tells_the_line(tmp_path: Path) -> None:
    path = tmp_path / "old.prototxt"
    path.write_text('input: "x"\n\nlayers { layer { name: "c" type: "convo" } bottom: "x" }\n')
    with pytest.raises(
        UpgradeError, match=r"old\.prototxt:3: layer 'c': V0 has no type 'convo'; did you mean 'conv'\?"
    ):
        read_net(path)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("input_dim: 1 input_dim: 2 input_dim: 3 input_dim: 5", "2 input(s) need 8 input_dim, the net has 4"),
        ("input_shape { dim: 3 }", "2 inputs need 2 input_shape, the net has 1"),
    ],
)
def test_too_few_input_shapes(fields: str, message: str) -> None:
    with pytest.raises(UpgradeError) as error:
        upgrade_net(net(f'input: "a" input: "b" {fields}'))
    assert str(error.value) == message


def test_input_shape_wins_and_surplus_is_ignored() -> None:
    old = net('input: "a" input_dim: 7 input_shape { dim: [2, 3] } input_shape { dim: 5 } layer { name: "l" }')
    upgrade_net(old)
    input_layer = 'layer { name: "input" type: "Input" top: "a" input_param { shape { dim: [2, 3] } } }'
    assert old == net(f'{input_layer} layer {{ name: "l" }}')


def test_input_dim_without_input_stays() -> None:
    old = net("input_dim: 7")
    assert upgrade_net(old) == []
    assert list(old.input_dim) == [7]


def test_batch_norm_that_is_right_already_is_not_noted() -> None:
    spec = "param { lr_mult: 0 decay_mult: 0 }"
    assert upgrade_net(net(f'layer {{ type: "BatchNorm" {spec * 3} }}')) == []
    assert upgrade_net(net(f'layer {{ type: "BatchNorm" {spec * 2} param {{ lr_mult: 0 }} }}'))
