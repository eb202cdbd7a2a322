"""The prototxt of a changed net, as the oldest Caffe reads it."""

from __future__ import annotations

from ..caffe_pb2 import LayerParameter, NetParameter
from ..text import print_text

_UPGRADED = "input"
"""What a net's input fields are called once they are a layer."""


def printed(net: NetParameter) -> str:
    """The net as text; an Input layer that stands for input fields is printed as those again."""
    first = net.layer[0] if net.layer else LayerParameter()
    fields = {"name", "type", "top", "input_param"}
    plain = {field.name for field, _ in first.ListFields()} == fields and first.name == _UPGRADED
    if not plain or first.type != "Input" or len(first.input_param.shape) != len(first.top):
        return print_text(net)
    old = NetParameter(name=net.name, input=first.top, input_shape=first.input_param.shape)
    rest = NetParameter()
    rest.CopyFrom(net)
    rest.ClearField("name")
    del rest.layer[0]
    return print_text(old) + print_text(rest)
