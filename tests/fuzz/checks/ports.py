"""The part of a net that has a form in plain PyTorch and in ONNX, written, read back and run on the same inputs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from recaffe.golden.proof import load_model
from recaffe.layers import layer_class
from recaffe.prototxt.caffe_pb2 import NetParameter
from recaffe.prototxt.export import ExportError, write_model
from recaffe.prototxt.export.refusals import NOT_IN_ONNX, UNEXPORTED
from recaffe.prototxt.net import Net

from ..case import Case
from .itself import same
from .trial import Trial, is_settled

SUFFIXES = (".py", ".onnx")


def ports(trial: Trial) -> Iterator[str]:
    """What differs in a port."""
    for suffix in SUFFIXES if all(map(is_settled, trial.runs)) else ():
        case = portable(trial.case, UNEXPORTED if suffix == ".py" else UNEXPORTED | NOT_IN_ONNX)
        if case is not None:
            yield from _ported(case, suffix)


def portable(case: Case, without: Mapping[str, str]) -> Case | None:
    """The net in TEST without losses and what else has no form, and without what depends on it."""
    message = NetParameter(name="fuzz")
    known: set[str] = set()
    for layer in case.message.layer:
        if layer.include:
            continue  # of the other phase
        if layer.type not in without and set(layer.bottom) <= known and not layer_class(layer.type).is_loss:
            message.layer.add().CopyFrom(layer)
            message.layer[-1].ClearField("loss_weight")
            known |= set(layer.top)
    taken = {bottom for layer in message.layer for bottom in layer.bottom}
    fed = {name: feed for name, feed in case.feeds.items() if name in taken}
    for i, layer in reversed(list(enumerate(message.layer))):
        if layer.type == "Input" and layer.top[0] not in fed:
            del message.layer[i]
    return Case(message, "TEST", case.seed, fed) if any(layer.bottom for layer in message.layer) else None


def _ported(case: Case, suffix: str) -> Iterator[str]:
    net, inputs = case.net(), case.inputs()
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        path = Path(folder, f"fuzz{suffix}")
        try:
            write_model(path, "Fuzz", net.parts, net.inputs, net.outputs)
        except ExportError:
            return  # refused in words
        net(inputs, keep="all")
        blobs = {blob: value.clone() for blob, value in net.blobs.items()}
        _reset(net)
        model = load_model(path)
        first = _difference(net, blobs, model.chained(inputs))
        if first and (alone := _difference(net, blobs, model.alone(blobs))):
            yield f"blob {first!r} is another in {suffix}, by its own layer {alone!r}"


def _reset(net: Net) -> None:
    for step in net.steps:
        getattr(step.layer, "reset", lambda: None)()


def _difference(net: Net, want: Mapping[str, Tensor], have: Mapping[str, object]) -> str:
    """The first blob that is another; a model lacks those that it does without."""
    beside = {top: [want[blob] for blob in node.bottoms] for node in net.nodes for top in node.tops}
    for blob, value in want.items():
        if blob in have and not same(torch.from_numpy(np.array(have[blob], np.float32)), value, 1e-4, beside[blob]):
            return blob
    return ""
