import inspect
import json

import pytest

from recaffe.layers import registered
from recaffe.tools.main import main


def test_the_list_has_every_type_and_field(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layers"]) == 0
    lines = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines()}
    assert list(lines) == list(registered())
    assert lines["AbsVal"] == []
    assert lines["Reduction"] == ["operation=SUM", "axis=0", "coeff=1"]
    assert lines["InnerProduct"][:3] == ["num_output", "bias_term=true", "weight_filler=constant"]


def test_a_contract(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layers", "Eltwise"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Eltwise: at least 2 bottoms, 1 top\n\nCombine blobs number by number.\n\nBottoms: ")
    fields = """
eltwise_param
  operation         PROD | SUM | MAX = SUM
  coeff             repeated float
  stable_prod_grad  bool = true
"""
    assert out.endswith(fields)


def test_counts_of_blobs_and_two_messages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layers", "Convolution"]) == 0
    assert capsys.readouterr().out.startswith("Convolution: at least 1 bottom, as many tops\n")
    assert main(["layers", "SoftmaxWithLoss"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("SoftmaxWithLoss: 2 bottoms, 1 to 2 tops\n")
    assert out.index("\nsoftmax_param\n") < out.index("\nloss_param\n")


def test_a_python_layer_goes_by_its_class(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layers", "ProposalLayer"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("rpn.proposal_layer.ProposalLayer: 3 bottoms, 1 to 2 tops\n")
    assert "\nparam_str\n  feat_stride  float\n" in out
    assert "  rpn_min_size           float = 16  {phase}.RPN_MIN_SIZE\n" in out


def test_json_has_what_the_text_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layers", "--json"]) == 0
    contracts = json.loads(capsys.readouterr().out)
    assert [contract["type"] for contract in contracts] == list(registered())
    (dropout,) = [contract for contract in contracts if contract["type"] == "Dropout"]
    assert dropout["contract"] == inspect.getdoc(registered()["Dropout"])
    assert dropout["bottoms"] == {"least": 1, "most": 1}
    ratio = {"name": "dropout_ratio", "place": "dropout_param", "takes": "float", "default": "0.5", "key": ""}
    assert dropout["fields"][0] == ratio


@pytest.mark.parametrize(("name", "near"), [("relu", "ReLU or PReLU or ELU"), ("Convolutoin", "Convolution or ")])
def test_an_unknown_type(name: str, near: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layers", name]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"recaffe layers: unknown layer type {name!r}; did you mean {near}")
    assert err.count("\n") == 1
