"""V0 layers, one flat list of fields inside a V1 layer, made V1 layers."""

from __future__ import annotations

from google.protobuf.message import Message

from ...nearest import did_you_mean
from ..caffe_pb2 import NetParameter, V0LayerParameter, V1LayerParameter
from ..errors import PrototxtError

_TYPES = {
    "accuracy": V1LayerParameter.ACCURACY,
    "bnll": V1LayerParameter.BNLL,
    "concat": V1LayerParameter.CONCAT,
    "conv": V1LayerParameter.CONVOLUTION,
    "data": V1LayerParameter.DATA,
    "dropout": V1LayerParameter.DROPOUT,
    "euclidean_loss": V1LayerParameter.EUCLIDEAN_LOSS,
    "flatten": V1LayerParameter.FLATTEN,
    "hdf5_data": V1LayerParameter.HDF5_DATA,
    "hdf5_output": V1LayerParameter.HDF5_OUTPUT,
    "im2col": V1LayerParameter.IM2COL,
    "images": V1LayerParameter.IMAGE_DATA,
    "infogain_loss": V1LayerParameter.INFOGAIN_LOSS,
    "innerproduct": V1LayerParameter.INNER_PRODUCT,
    "lrn": V1LayerParameter.LRN,
    "multinomial_logistic_loss": V1LayerParameter.MULTINOMIAL_LOGISTIC_LOSS,
    "pool": V1LayerParameter.POOLING,
    "relu": V1LayerParameter.RELU,
    "sigmoid": V1LayerParameter.SIGMOID,
    "softmax": V1LayerParameter.SOFTMAX,
    "softmax_loss": V1LayerParameter.SOFTMAX_LOSS,
    "split": V1LayerParameter.SPLIT,
    "tanh": V1LayerParameter.TANH,
    "window_data": V1LayerParameter.WINDOW_DATA,
}
_MESSAGES = {
    "concat": "concat_param",
    "conv": "convolution_param",
    "data": "data_param",
    "dropout": "dropout_param",
    "hdf5_data": "hdf5_data_param",
    "images": "image_data_param",
    "infogain_loss": "infogain_loss_param",
    "innerproduct": "inner_product_param",
    "lrn": "lrn_param",
    "pool": "pooling_param",
    "window_data": "window_data_param",
}
# V0 field: its name today, and the types that take it in their message of _MESSAGES.
_FIELDS = {
    "num_output": ("num_output", ("conv", "innerproduct")),
    "biasterm": ("bias_term", ("conv", "innerproduct")),
    "weight_filler": ("weight_filler", ("conv", "innerproduct")),
    "bias_filler": ("bias_filler", ("conv", "innerproduct")),
    "pad": ("pad", ("conv", "pool")),
    "kernelsize": ("kernel_size", ("conv", "pool")),
    "group": ("group", ("conv",)),
    "stride": ("stride", ("conv", "pool")),
    "pool": ("pool", ("pool",)),
    "dropout_ratio": ("dropout_ratio", ("dropout",)),
    "local_size": ("local_size", ("lrn",)),
    "alpha": ("alpha", ("lrn",)),
    "beta": ("beta", ("lrn",)),
    "k": ("k", ("lrn",)),
    "source": ("source", ("data", "hdf5_data", "images", "window_data", "infogain_loss")),
    "batchsize": ("batch_size", ("data", "hdf5_data", "images", "window_data")),
    "rand_skip": ("rand_skip", ("data", "images")),
    "shuffle_images": ("shuffle", ("images",)),
    "new_height": ("new_height", ("images",)),
    "new_width": ("new_width", ("images",)),
    "concat_dim": ("concat_dim", ("concat",)),
    "det_fg_threshold": ("fg_threshold", ("window_data",)),
    "det_bg_threshold": ("bg_threshold", ("window_data",)),
    "det_fg_fraction": ("fg_fraction", ("window_data",)),
    "det_context_pad": ("context_pad", ("window_data",)),
    "det_crop_mode": ("crop_mode", ("window_data",)),
}
_TRANSFORMS = {"scale": "scale", "meanfile": "mean_file", "cropsize": "crop_size", "mirror": "mirror"}
_KEPT_OF_NET = ("name", "layers", "input", "input_dim", "force_backward")
_KEPT_OF_LAYER = ("layer", "bottom", "top")


class UpgradeError(PrototxtError):
    """An old net or solver cannot be made new; `layer` names the layer at fault, if it is one."""

    def __init__(self, what: str, layer: str = "") -> None:
        super().__init__(f"layer {layer!r}: {what}" if layer else what)
        self.layer = layer


def upgrade_v0(net: NetParameter) -> list[str]:
    """Make V0 layers V1 in place and fold padding layers away; the notes name whatever is lost on the way."""
    if not any(layer.HasField("layer") for layer in net.layers):
        return []
    notes = ["V0 layers are V1 layers now"]
    if lost := [field.name for field, _ in net.ListFields() if field.name not in _KEPT_OF_NET]:
        notes.append(f"dropped {', '.join(lost)} of the net: V0 has none")
    kept = _fold_padding(net)
    if len(kept) < len(net.layers):
        notes.append(f"folded {len(net.layers) - len(kept)} padding layer(s) into the layers behind them")
    new = NetParameter(input=net.input, input_dim=net.input_dim)
    for name in ("name", "force_backward"):
        if net.HasField(name):
            setattr(new, name, getattr(net, name))
    for old in kept:
        _upgrade_layer(old, new.layers.add(), notes)
    net.CopyFrom(new)
    return notes


def _fold_padding(net: NetParameter) -> list[V1LayerParameter]:
    """The layers without the padding ones, whose pad and bottom went to the convolution or pooling behind."""
    producers: dict[str, V1LayerParameter | None] = dict.fromkeys(net.input)
    kept = []
    # Padding layers stay as they are, so what they feed is looked up in the net as it was written.
    for written in net.layers:
        layer = V1LayerParameter()
        layer.CopyFrom(written)
        for blob in written.bottom:
            if blob not in producers:
                raise UpgradeError(f"bottom {blob!r} is no top of an earlier layer and no input", written.layer.name)
            source = producers[blob]
            if source is not None and source.layer.type == "padding":
                _check_padding(source, written)
                layer.layer.pad = source.layer.pad
                layer.bottom[0] = source.bottom[0]
        producers.update(dict.fromkeys(written.top, written))
        if layer.layer.type != "padding":
            kept.append(layer)
    return kept


def _check_padding(padding: V1LayerParameter, user: V1LayerParameter) -> None:
    name = user.layer.name
    if user.layer.type not in ("conv", "pool"):
        raise UpgradeError(f"a {user.layer.type} cannot take a padding layer's top; only conv and pool can", name)
    for layer, role, count in (
        (user, "bottom", len(user.bottom)),
        (padding, "bottom", len(padding.bottom)),
        (padding, "top", len(padding.top)),
    ):
        if count != 1:
            raise UpgradeError(f"needs one {role} where padding is folded, has {count}", layer.layer.name)


def _upgrade_layer(old: V1LayerParameter, new: V1LayerParameter, notes: list[str]) -> None:
    """Fill a V1 layer from a V0 one; what its type does not take is dropped and noted."""
    layer = old.layer
    new.bottom.extend(old.bottom)
    new.top.extend(old.top)
    lost = [field.name for field, _ in old.ListFields() if field.name not in _KEPT_OF_LAYER]
    for field, value in layer.ListFields():
        name = field.name
        today, types = _FIELDS.get(name, ("", ()))
        if name == "type":
            new.type = _v1_type(layer)
        elif name == "name":
            new.name = value
        elif name in ("blobs", "blobs_lr", "weight_decay"):
            getattr(new, name).MergeFrom(value)
        elif name in _TRANSFORMS:
            _put(new.transform_param, _TRANSFORMS[name], value)
        elif name == "hdf5_output_param" and layer.type == "hdf5_output":
            _put(new, name, value)
        elif layer.type in types:
            _put(getattr(new, _MESSAGES[layer.type]), today, value)
        else:
            lost.append(name)
    if lost:
        kind = f"a V0 {layer.type}" if layer.type else "a net of V0 layers"
        notes.append(f"dropped {', '.join(lost)} of layer {layer.name or old.name!r}: not read there in {kind}")


def _v1_type(layer: V0LayerParameter) -> V1LayerParameter.LayerType:
    if layer.type in _TYPES:
        return _TYPES[layer.type]
    hint = did_you_mean(layer.type, _TYPES)
    raise UpgradeError(f"V0 has no type {layer.type!r}{hint} (known: {', '.join(_TYPES)})", layer.name)


def _put(message: Message, name: str, value: object) -> None:
    """Set a field, which may hold a list today."""
    if isinstance(value, Message):
        getattr(message, name).CopyFrom(value)
    elif message.DESCRIPTOR.fields_by_name[name].has_presence:
        setattr(message, name, value)
    else:
        getattr(message, name).append(value)
