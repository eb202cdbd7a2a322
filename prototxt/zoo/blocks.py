"""Layers as messages, in the words that differ from net to net."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..caffe_pb2 import LayerParameter, NetParameter

Layers = list[LayerParameter]
Specs = tuple[Mapping[str, float], ...]
"""The param { } of a layer, one for each of its params."""
Fields = Mapping[str, Any]

STILL: Mapping[str, float] = {"lr_mult": 0, "decay_mult": 0}
STRIDE = 16
"""Pixels of the image for one cell of the feature map, in every net here."""


@dataclass(frozen=True)
class Style:
    """What a net says of its weights and biases: how they learn, how the frozen ones do not, how they start."""

    learned: Specs
    frozen: Specs = (STILL, STILL)
    fillers: bool = True


TRAINED = Style(({"lr_mult": 1}, {"lr_mult": 2}))
TESTED = Style(({"lr_mult": 1, "decay_mult": 1}, {"lr_mult": 2, "decay_mult": 0}))
FROZEN = Style((STILL, STILL))
BARE = Style((), (), fillers=False)


def net(name: str, layers: Iterable[LayerParameter], **inputs: Sequence[int]) -> NetParameter:
    """A net; its inputs by name with their shapes, said so that the oldest Caffe with blob shapes reads it."""
    shapes = [{"dim": list(shape)} for shape in inputs.values()]
    return NetParameter(name=name, input=list(inputs), input_shape=shapes, layer=layers)


def layer(
    kind: str, name: str, bottoms: Sequence[str], tops: Sequence[str], specs: Specs = (), **fields: Any
) -> LayerParameter:
    """Any layer; `fields` are those of LayerParameter."""
    return LayerParameter(name=name, type=kind, bottom=bottoms, top=tops, param=specs, **fields)


def conv(
    name: str,
    bottom: str,
    width: int,
    kernel: int,
    specs: Specs,
    *,
    top: str = "",
    pad: int | None = None,
    stride: int | None = None,
    dilation: int | None = None,
    bias: bool = True,
    fillers: Fields | None = None,
) -> LayerParameter:
    """A convolution to `width` channels; of the geometry only what is given is said."""
    geometry = {"kernel_size": kernel, "pad": pad, "stride": stride, "dilation": dilation}
    fields: Fields = {
        "num_output": width,
        **{name: [value] for name, value in geometry.items() if value is not None},
        **({} if bias else {"bias_term": False}),
        **(fillers or {}),
    }
    return layer("Convolution", name, [bottom], [top or name], specs, convolution_param=fields)


def fully(name: str, bottom: str, width: int, specs: Specs, fillers: Fields | None = None) -> LayerParameter:
    """An inner product with `width` numbers."""
    fields = {"num_output": width, **(fillers or {})}
    return layer("InnerProduct", name, [bottom], [name], specs, inner_product_param=fields)


def gaussian(std: float, style: Style) -> Fields:
    """Fillers of weights in N(0, std²) and biases of 0, where the style names fillers."""
    if not style.fillers:
        return {}
    return {"weight_filler": {"type": "gaussian", "std": std}, "bias_filler": {"type": "constant", "value": 0}}


def relu(name: str, blob: str) -> LayerParameter:
    """An in-place ReLU."""
    return layer("ReLU", name, [blob], [blob])


def max_pool(name: str, bottom: str, kernel: int, **fields: int) -> LayerParameter:
    """Max pooling with stride 2."""
    return layer(
        "Pooling", name, [bottom], [name], pooling_param=dict(pool="MAX", kernel_size=kernel, stride=2, **fields)
    )


def softmax(name: str, bottom: str, top: str = "") -> LayerParameter:
    """Probabilities of scores."""
    return layer("Softmax", name, [bottom], [top or name])


def reshape(name: str, bottom: str, top: str, *dims: int) -> LayerParameter:
    """The same numbers in another shape; 0 keeps an axis, -1 is what remains."""
    return layer("Reshape", name, [bottom], [top], reshape_param={"shape": {"dim": dims}})


def python(name: str, path: str, bottoms: Sequence[str], tops: Sequence[str], param_str: str) -> LayerParameter:
    """A layer of the originals' Python: `path` is its module and class."""
    module, _, cls = path.rpartition(".")
    return layer("Python", name, bottoms, tops, python_param={"module": module, "layer": cls, "param_str": param_str})


def loss(kind: str, name: str, bottoms: Sequence[str], top: str, flow: bool = False, **fields: Any) -> LayerParameter:
    """A loss of weight 1; with `flow` it says that only its first bottom gets a diff."""
    down = [index == 0 for index in range(len(bottoms))] if flow else []
    return layer(kind, name, bottoms, [top], loss_weight=[1], propagate_down=down, **fields)


def silence(name: str, *bottoms: str) -> LayerParameter:
    """Take blobs that nobody else wants."""
    return layer("Silence", name, bottoms, [])
