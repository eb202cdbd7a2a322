import pytest

from recaffe.prototxt.net import Net, inplace_hazards
from recaffe.prototxt.text import read_net

HEAD = 'force_backward: true input: "x" input_shape { dim: 2 dim: 3 dim: 4 dim: 5 }\n'


def hazards(layers: str, phase: str = "TRAIN", *, faithful: bool = False, head: str = HEAD) -> list[str]:
    return inplace_hazards(Net(read_net(head + layers), phase).steps, faithful)


def layer(name: str, kind: str, bottom: str, top: str, rest: str = "") -> str:
    return f'layer {{ name: "{name}" type: "{kind}" bottom: "{bottom}" top: "{top}" {rest} }}\n'


TANH = layer("t", "TanH", "x", "y") + layer("d", "Dropout", "y", "y")


def test_a_line_names_the_layer_its_followers_and_the_way_out() -> None:
    (line,) = hazards(TANH)
    assert line == (
        "<text>:2: layer 't' (TanH): Caffe computes its gradient from what 'd' (Dropout) left in 'y'; here it is the "
        "true one (faithful_inplace=True computes Caffe's)"
    )
    assert hazards(TANH, faithful=True) == []


def test_in_place_by_itself() -> None:
    (line,) = hazards(layer("c", "TanH", "x", "y") + layer("log", "Log", "y", "y"))[1:]
    assert line.startswith(
        "<text>:3: layer 'log' (Log): computes in place, and Caffe computes its gradient from what it"
    )


@pytest.mark.parametrize("phase", ["TEST", "TRAIN"])
def test_dropout_overwrites_in_training_alone(phase: str) -> None:
    assert len(hazards(TANH, phase)) == (phase == "TRAIN")


def test_where_nothing_goes_backward_no_gradient_is_told_of() -> None:
    assert hazards(TANH, head=HEAD.replace("true", "false")) == []


def test_what_no_setting_follows() -> None:
    product = 'layer { name: "e" type: "Eltwise" bottom: "x" bottom: "z" top: "y" eltwise_param { operation: PROD '
    text = 'layer { name: "p" type: "Power" bottom: "x" top: "z" }\n' + product + "stable_prod_grad: false } }\n"
    text += layer("t", "TanH", "y", "y")
    for faithful in (False, True):
        (line,) = hazards(text, faithful=faithful)
        assert line.endswith("here it is the true one (with faithful_inplace=True, too)")


@pytest.mark.parametrize(
    ("kind", "rest"),
    [
        ("Eltwise", 'bottom: "z" eltwise_param { operation: SUM }'),
        ("LRN", ""),
        ("Concat", 'bottom: "w" concat_param { axis: 0 }'),
        ("Deconvolution", "convolution_param { num_output: 3 kernel_size: 1 }"),
        ("Convolution", "convolution_param { num_output: 3 kernel_size: 1 }"),
        ("Pooling", "pooling_param { kernel_size: 3 stride: 1 pad: 1 }"),
    ],
)
def test_layers_that_read_what_they_have_overwritten(kind: str, rest: str) -> None:
    copies = layer("p", "Power", "x", "z") + layer("q", "Power", "x", "w") + layer("r", "Power", "x", "y")
    silence = layer("s", "Silence", "z", "").replace('top: ""', 'bottom: "w"') if "bottom" not in rest else ""
    for phase in ("TEST", "TRAIN"):
        lines = hazards(copies + layer("l", kind, "y", "y", rest) + silence, phase, head=HEAD.replace("true", "false"))
        (line,) = lines
        assert line.startswith(f"<text>:5: layer 'l' ({kind}): computes in place, where Caffe's reads what it has")


@pytest.mark.parametrize("kind", ["LSTM", "RNN"])
def test_recurrent_layers(kind: str) -> None:
    head = 'input: "x" input_shape { dim: 2 dim: 3 dim: 4 } input: "c" input_shape { dim: 2 dim: 3 }\n'
    text = layer("l", kind, "x", "x", 'bottom: "c" recurrent_param { num_output: 4 }')
    (line,) = hazards(text, head=head)
    assert f"layer 'l' ({kind}): computes in place" in line


def test_nets_as_people_write_them_have_none() -> None:
    convolved = layer("c", "Convolution", "x", "c", "convolution_param { num_output: 3 kernel_size: 1 }")
    chain = [layer(name, name, "c", "c") for name in ("BatchNorm", "Scale", "ReLU", "Dropout")]
    assert hazards(convolved + "".join(chain)) == []
    assert hazards(convolved + layer("p", "PReLU", "c", "c") + chain[-1]) == []
