"""BatchNorm and Scale multiplied into the convolution before them, for good."""

from __future__ import annotations

from collections.abc import Sequence

from ...layers import BatchNormLayer
from ..caffe_pb2 import LayerParameter, ParamSpec
from ..net import Net, Node, fold
from .compress import LIMIT
from .operation import Operation, SurgeryError

_MERGED = ("BatchNorm", "Scale")


def merge_batch_norms(operation: Operation) -> None:
    """Merge every BatchNorm with fixed statistics and every Scale that follows a convolution, as inference does."""
    net = operation.net
    _refuse_batch_statistics(net)
    folded = fold(net.parts)
    left = {id(step.node.message): step for step in folded.parts.steps}
    gone = [node for node in net.nodes if id(node.message) not in left]
    if not gone:
        raise SurgeryError(f"net {net.graph.name!r} has no BatchNorm or Scale right behind a Convolution")
    for step in net.steps:
        merged = left.get(id(step.node.message), step)
        if merged.layer is not step.layer:
            _give_bias(_plain_layer(operation, step.node.name, ("Convolution",)), merged.node)
            operation.values[step.node.name] = merged.layer.params
    dropped = [_plain_layer(operation, node.name, _MERGED) for node in gone]
    _refuse_readers(operation, folded.hidden, dropped)
    _tell(operation, gone)
    for message in dropped:
        operation.message.layer.remove(message)
    operation.promise.limit = LIMIT
    operation.promise.moved = set(folded.hidden)


def _refuse_batch_statistics(net: Net) -> None:
    for step in net.steps:
        if isinstance(step.layer, BatchNormLayer) and not step.layer.use_global_stats:
            way_out = "merge in phase TEST, or say use_global_stats: true"
            raise SurgeryError(f"{step.node}: uses its batch's own statistics, so it cannot be merged: {way_out}")


def _plain_layer(operation: Operation, name: str, kinds: Sequence[str]) -> LayerParameter:
    """A layer with params of its own that is there in every phase."""
    layer = operation.sole_layer(name, kinds)
    if layer.include or layer.exclude:
        raise SurgeryError(f"layer {name!r} ({layer.type}) has include or exclude rules: merging would ignore them")
    return layer


def _give_bias(layer: LayerParameter, merged: Node) -> None:
    """Let a convolution give the top of what was merged into it, by a bias that learns as its weight does."""
    layer.top[:] = merged.tops
    if not layer.convolution_param.bias_term:
        layer.convolution_param.ClearField("bias_term")
        if len(layer.param) == 1 and layer.param[0].HasField("lr_mult"):
            layer.param.append(ParamSpec(lr_mult=layer.param[0].lr_mult, decay_mult=0))


def _refuse_readers(operation: Operation, hidden: frozenset[str], dropped: Sequence[LayerParameter]) -> None:
    """Refuse to do away with a blob that a layer of another phase reads."""
    for layer in operation.message.layer:
        if (blobs := hidden & set(layer.bottom)) and layer not in dropped:
            raise SurgeryError(f"layer {layer.name!r} takes blob {min(blobs)!r}, which merging leaves out")


def _tell(operation: Operation, gone: Sequence[Node]) -> None:
    """Note what went into which convolution."""
    owners: dict[str, str] = {}
    names = {node.name for node in gone}
    for node in operation.net.nodes:
        if node.name in operation.values:
            owners[node.tops[0]] = node.name
        elif node.name in names:
            owners[node.tops[0]] = owners[node.bottoms[0]]
            operation.did(owners[node.tops[0]], f"took in {node.name!r}")
