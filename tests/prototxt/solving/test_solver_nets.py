"""Which nets a solver trains and tests, and in which state."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from recaffe.prototxt.export.net_params import params_of, write_weights
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.solving.policies import SolverError
from recaffe.prototxt.solving.solver import Solver
from recaffe.prototxt.solving.solver_nets import SolverNets, share_params
from recaffe.prototxt.text.read import read_net, read_solver

BODY = """layer { name: "data" type: "DummyData" top: "data" top: "label"
  dummy_data_param { shape { dim: 2 dim: 3 } shape { dim: 2 } data_filler { type: "gaussian" } data_filler { } } }
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc" inner_product_param { num_output: 5
  weight_filler { type: "xavier" } } }
"""
LOSS = 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" top: "loss" }\n'
NET = f'name: "small"\n{BODY}{LOSS}'
STAGED = NET + 'layer { name: "extra" type: "Silence" bottom: "data" include { stage: "more" min_level: 2 } }\n'


def nets(text: str, folder: Path = Path()) -> SolverNets:
    return SolverNets(read_solver(f"{text}\n"), folder, None, torch.device("cpu"))


def layers(net: Net) -> list[str]:
    return [node.name for node in net.nodes]


@pytest.mark.parametrize("field", ["net", "train_net"])
def test_a_net_in_a_file(field: str, tmp_path: Path) -> None:
    (tmp_path / "a.prototxt").write_text(NET)
    found = nets(f'{field}: "a.prototxt"', tmp_path)
    assert (found.train.phase, found.train.graph.name, found.tests) == ("TRAIN", "small", [])
    assert found.sources == ["data", "label"]


def test_nets_to_test_come_in_caffes_order(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.prototxt").write_text(NET.replace("small", name))
    text = f"""net: "a.prototxt" test_net: "b.prototxt" test_net_param {{ {NET.replace("small", "c")} }}
      test_iter: 1 test_iter: 2 test_iter: 3 test_iter: 4 test_interval: 1"""
    found = nets(text, tmp_path)
    assert [(net.graph.name, net.phase) for net in found.tests] == [(name, "TEST") for name in "cbaa"]


def test_states_add_up() -> None:
    text = f"""net_param {{ {STAGED} state {{ level: 1 }} }} train_state {{ stage: "more" level: 2 }}
      test_iter: 1 test_iter: 1 test_interval: 1 test_state {{ stage: "more" }}
      test_state {{ level: 2 stage: "more" }}"""
    found = nets(text)
    assert [("extra" in layers(net)) for net in (found.train, *found.tests)] == [True, False, True]


def test_a_state_may_turn_the_phase() -> None:
    assert nets(f"train_net_param {{ {NET} }} train_state {{ phase: TEST }}").train.phase == "TEST"


def test_test_nets_use_the_train_nets_params(tmp_path: Path) -> None:
    found = nets(f"net_param {{ {NET} }} test_iter: 1 test_interval: 1")
    write_weights(tmp_path / "a.caffemodel", found.train, params_of(found.train))
    (mine, theirs) = (net.layer("fc").params[0] for net in (found.train, found.tests[0]))
    assert mine.data_ptr() == theirs.data_ptr()
    found.train.load(tmp_path / "a.caffemodel")
    found.take_params()
    assert found.train.layer("fc").params[0].data_ptr() == found.tests[0].layer("fc").params[0].data_ptr()
    assert found.params[0] is found.train.layer("fc").params[0]


def test_seeds() -> None:
    numbers = [net.rng.randint(1000) for net in (nets(f"net_param {{ {NET} }} random_seed: {n}").train for n in (1, 2))]
    assert numbers[0] == numbers[1]  # NumPy's follow the config
    fillers = [nets(f"net_param {{ {NET} }} random_seed: {n}").params[0] for n in (1, 1, 2)]
    assert torch.equal(fillers[0], fillers[1])
    assert not torch.equal(fillers[0], fillers[2])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("base_lr: 1", "names no net to train: give exactly one of net, net_param, train_net, train_net_param"),
        (
            'net: "a" train_net: "b"',
            "has net and train_net: give exactly one of net, net_param, train_net, train_net_param",
        ),
        (f"train_net_param {{ {NET} }} test_iter: 1", "has 1 test_iter for 0 test nets: give each net one"),
        (f"net_param {{ {NET} }} test_iter: 0", "has the test_iter 0: it must be 1 or more"),
        (f"net_param {{ {NET} }} test_iter: 1", "has test nets and the test_interval 0: it must be 1 or more"),
        (
            f"net_param {{ {NET} }} test_iter: 1 test_state {{ }} test_state {{ }}",
            "has 2 test_state for 1 test nets: give each net one, or none",
        ),
        (f"net_param {{ {BODY} }}", "its net '' has no loss in phase TRAIN: nothing to learn"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(SolverError) as error:
        nets(text)
    assert str(error.value) == message


def test_another_shape_in_a_test_net_is_refused() -> None:
    source = Net.from_prototxt(NET, "TRAIN")
    target = Net(read_net(NET.replace("num_output: 5", "num_output: 4")))
    with pytest.raises(SolverError, match=r"layer 'fc' .* has params 5×3, 5 in the train net, 4×3, 4 in a test net$"):
        share_params(source, target)


def test_layers_of_a_test_net_alone_get_their_fillers_values() -> None:
    more = (
        NET + 'layer { name: "more" type: "InnerProduct" bottom: "data" top: "m" inner_product_param {num_output: 2} }'
    )
    target = Net(read_net(more))
    share_params(Net.from_prototxt(NET, "TRAIN"), target)
    assert target.layer("more").params[0].tolist() == [[0, 0, 0], [0, 0, 0]]


def test_weights_are_loaded_and_told_of(tmp_path: Path) -> None:
    source = Net.from_prototxt(NET, "TRAIN", seed=8)
    write_weights(tmp_path / "a.caffemodel", source, params_of(source))
    found = nets(f'net_param {{ {NET} }} weights: "a.caffemodel"', tmp_path)
    assert torch.equal(found.params[0], source.layer("fc").params[0])
    assert found.notes == [f"{tmp_path}/a.caffemodel: 1 layer(s) matched, 2 param(s) read"]
    other = NET.replace('"fc"', '"other"')
    with pytest.raises(SolverError, match=r"^names the weights a.caffemodel, of which no layer is in net 'small'$"):
        nets(f'net_param {{ {other} }} weights: "a.caffemodel"', tmp_path)


OVERWRITTEN = """
  force_backward: true
  layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 1 dim: 1 } } }
  layer { name: "fc" type: "InnerProduct" bottom: "x" top: "fc" inner_product_param { num_output: 1 bias_term: false
    weight_filler { value: 1 } } }
  layer { name: "t" type: "TanH" bottom: "fc" top: "y" }
  layer { name: "p" type: "Power" bottom: "y" top: "y" power_param { scale: 2 shift: 0.5 } }
  layer { name: "loss" type: "Reduction" bottom: "y" top: "loss" loss_weight: 1 }
"""


@pytest.mark.parametrize("faithful", [False, True])
def test_it_learns_from_caffes_gradient_of_overwritten_blobs(faithful: bool, tmp_path: Path) -> None:
    text = f'base_lr: 0.1 lr_policy: "fixed" net_param {{ {OVERWRITTEN} }}'
    feed = {"x": torch.ones(1, 1)}
    solver = Solver.from_prototxt(text, feed=lambda number: feed, folder=tmp_path, faithful_inplace=faithful)
    solver.step(1)
    y = math.tanh(1)
    gradient = 4 * (1 - (2 * y + 0.5) ** 2) if faithful else 2 * (1 - y**2)
    assert solver.net.layer("fc").params[0].item() == pytest.approx(1 - 0.1 * gradient, rel=1e-5)
