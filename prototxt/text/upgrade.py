"""Old nets and solvers made today's, as Caffe makes them before it builds anything.

V0 becomes V1 (1), old data fields move to transform_param (2), V1 becomes today's (3), input fields become an Input
layer (4), and BatchNorm's statistics lose their learning rates (5).
"""

from __future__ import annotations

from google.protobuf.message import Message

from ..caffe_pb2 import BlobShape, LayerParameter, NetParameter, ParamSpec, SolverParameter, V1LayerParameter
from .upgrade_v0 import UpgradeError as UpgradeError
from .upgrade_v0 import upgrade_v0

V1_TYPES = {
    "NONE": "",
    "ABSVAL": "AbsVal",
    "ACCURACY": "Accuracy",
    "ARGMAX": "ArgMax",
    "BNLL": "BNLL",
    "CONCAT": "Concat",
    "CONTRASTIVE_LOSS": "ContrastiveLoss",
    "CONVOLUTION": "Convolution",
    "DATA": "Data",
    "DECONVOLUTION": "Deconvolution",
    "DROPOUT": "Dropout",
    "DUMMY_DATA": "DummyData",
    "ELTWISE": "Eltwise",
    "EUCLIDEAN_LOSS": "EuclideanLoss",
    "EXP": "Exp",
    "FLATTEN": "Flatten",
    "HDF5_DATA": "HDF5Data",
    "HDF5_OUTPUT": "HDF5Output",
    "HINGE_LOSS": "HingeLoss",
    "IM2COL": "Im2col",
    "IMAGE_DATA": "ImageData",
    "INFOGAIN_LOSS": "InfogainLoss",
    "INNER_PRODUCT": "InnerProduct",
    "LRN": "LRN",
    "MEMORY_DATA": "MemoryData",
    "MULTINOMIAL_LOGISTIC_LOSS": "MultinomialLogisticLoss",
    "MVN": "MVN",
    "POOLING": "Pooling",
    "POWER": "Power",
    "RELU": "ReLU",
    "SIGMOID": "Sigmoid",
    "SIGMOID_CROSS_ENTROPY_LOSS": "SigmoidCrossEntropyLoss",
    "SILENCE": "Silence",
    "SLICE": "Slice",
    "SOFTMAX": "Softmax",
    "SOFTMAX_LOSS": "SoftmaxWithLoss",
    "SPLIT": "Split",
    "TANH": "TanH",
    "THRESHOLD": "Threshold",
    "WINDOW_DATA": "WindowData",
}
"""V1's names of layer types -> today's types."""
V1_TYPES_BY_NUMBER = {V1LayerParameter.LayerType.Value(name): today for name, today in V1_TYPES.items()}
"""The same by the numbers that binary files hold."""

_SOLVER_TYPES = {
    SolverParameter.SGD: "SGD",
    SolverParameter.NESTEROV: "Nesterov",
    SolverParameter.ADAGRAD: "AdaGrad",
    SolverParameter.RMSPROP: "RMSProp",
    SolverParameter.ADADELTA: "AdaDelta",
    SolverParameter.ADAM: "Adam",
}
_DATA_MESSAGES = {
    V1LayerParameter.DATA: "data_param",
    V1LayerParameter.IMAGE_DATA: "image_data_param",
    V1LayerParameter.WINDOW_DATA: "window_data_param",
}
_TRANSFORMS = ("scale", "mean_file", "crop_size", "mirror")
# V1's lists, one item for each param -> the field of ParamSpec that holds it today.
_PARAM_LISTS = {"param": "name", "blob_share_mode": "share_mode", "blobs_lr": "lr_mult", "weight_decay": "decay_mult"}


def upgrade_net(net: NetParameter) -> list[str]:
    """Make a net of any age today's, in place, weights and all; what was done is told in notes, none for a new net."""
    steps = (upgrade_v0, _upgrade_data, _upgrade_v1, _upgrade_inputs, _upgrade_batch_norms)
    return [note for step in steps for note in step(net)]


def upgrade_solver(solver: SolverParameter) -> list[str]:
    """Turn the old enum solver_type into the string type, in place. A net inside the solver stays as it is."""
    if not solver.HasField("solver_type"):
        return []
    if solver.HasField("type"):
        raise UpgradeError("the solver has both type and the old solver_type: keep type alone")
    solver.type = _SOLVER_TYPES[solver.solver_type]
    solver.ClearField("solver_type")
    return [f'solver_type is type: "{solver.type}" now']


def _upgrade_data(net: NetParameter) -> list[str]:
    """Move the data layers' old fields to transform_param; if one layer has any, all data layers get the message."""
    layers = [(layer, _DATA_MESSAGES[layer.type]) for layer in net.layers if layer.type in _DATA_MESSAGES]
    if not any(getattr(layer, param).HasField(name) for layer, param in layers for name in _TRANSFORMS):
        return []
    for layer, param in layers:
        source: Message = getattr(layer, param)
        source.SetInParent()
        layer.transform_param.SetInParent()
        for name in _TRANSFORMS:
            if source.HasField(name):
                setattr(layer.transform_param, name, getattr(source, name))
                source.ClearField(name)
    return [f"{', '.join(_TRANSFORMS)} of the data layers are in transform_param now"]


def _upgrade_v1(net: NetParameter) -> list[str]:
    if not net.layers:
        return []
    if net.layer:
        raise UpgradeError(
            f"the net has both layers {{ }} (first {net.layers[0].name!r}) and layer {{ }} (first "
            f"{net.layer[0].name!r}), an old and a new form that do not mix: rewrite one as the other"
        )
    for old in net.layers:
        _upgrade_v1_layer(old, net.layer.add())
    net.ClearField("layers")
    return ["V1 layers are today's layers now"]


def _upgrade_v1_layer(old: V1LayerParameter, new: LayerParameter) -> None:
    """Fill a layer from a V1 one: all fields that both have, the type as a string, the lists as one ParamSpec each."""
    for field, value in old.ListFields():
        if field.name == "type":
            new.type = V1_TYPES_BY_NUMBER[value]
        elif field.name in _PARAM_LISTS:
            for i, item in enumerate(value):
                setattr(_param(new, i), _PARAM_LISTS[field.name], item)
        elif field.name == "name":
            new.name = value
        else:
            getattr(new, field.name).MergeFrom(value)


def _param(layer: LayerParameter, index: int) -> ParamSpec:
    while len(layer.param) <= index:
        layer.param.add()
    return layer.param[index]


def _upgrade_inputs(net: NetParameter) -> list[str]:
    """Make the net's input fields its first layer; inputs without any shape, as in old weights, just go."""
    if not net.input:
        return []
    names = ", ".join(net.input)
    note = f"dropped input {names}, which has no shape"
    if net.input_shape or net.input_dim:
        layer = LayerParameter(name="input", type="Input", top=net.input)
        layer.input_param.shape.extend(_input_shapes(net))
        net.layer.insert(0, layer)
        note = f"input {names} is the Input layer 'input' now"
    for field in ("input", "input_shape", "input_dim"):
        net.ClearField(field)
    return [note]


def _input_shapes(net: NetParameter) -> list[BlobShape]:
    """A shape for each input; as in Caffe, input_shape wins over input_dim, and surplus ones count for nothing."""
    count = len(net.input)
    if net.input_shape:
        if len(net.input_shape) < count:
            raise UpgradeError(f"{count} inputs need {count} input_shape, the net has {len(net.input_shape)}")
        return list(net.input_shape[:count])
    if len(net.input_dim) < 4 * count:
        raise UpgradeError(f"{count} input(s) need {4 * count} input_dim, the net has {len(net.input_dim)}")
    return [BlobShape(dim=net.input_dim[4 * i : 4 * i + 4]) for i in range(count)]


def _upgrade_batch_norms(net: NetParameter) -> list[str]:
    """Keep the solver away from statistics: a BatchNorm that names its three params gets factors of 0 for all."""
    old = [layer for layer in net.layer if layer.type == "BatchNorm" and len(layer.param) == 3]
    specs = [param for layer in old for param in layer.param]
    done = all(param.HasField("decay_mult") and param.lr_mult == param.decay_mult == 0 for param in specs)
    for param in specs:
        param.lr_mult = param.decay_mult = 0
    return [] if done else ["lr_mult and decay_mult of the BatchNorm layers' params are 0 now"]
