"""A failing net made small: layers and fields are left out for as long as the same check fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from recaffe.prototxt.caffe_pb2 import LayerParameter, NetParameter

from .case import Case
from .judge import RAISED, Failure, findings, is_refused

ROUNDS = 200


def shrink(failure: Failure) -> Failure:
    """The same failure of a smaller net."""
    small, tries = failure, 0
    while small.case is not None:
        for case in smaller(small.case):
            tries += 1
            told = _still_fails(case, failure)
            if told or tries > ROUNDS:
                break
        else:
            return small
        if not told:
            return small
        small = replace(small, case=case, told=told)
    return small


def _still_fails(case: Case, failure: Failure) -> str:
    if is_refused(case):
        return ""
    checks = () if failure.check == RAISED else (failure.check,)
    return next((told for check, told in findings(case, checks) if check == failure.check), "")


def smaller(case: Case) -> Iterator[Case]:
    """Each net with one thing less, large things first."""
    for i, layer in reversed(list(enumerate(case.message.layer))):
        if layer.name != "start":
            yield _with(case, without_layer(case.message, i))
    for i, layer in enumerate(case.message.layer):
        for message in without_fields(layer):
            net = NetParameter()
            net.CopyFrom(case.message)
            net.layer[i].CopyFrom(message)
            yield _with(case, net)


def _with(case: Case, message: NetParameter) -> Case:
    inputs = {layer.name for layer in message.layer if layer.type == "Input"}
    return replace(case, message=message, feeds={name: feed for name, feed in case.feeds.items() if name in inputs})


def without_layer(net: NetParameter, i: int) -> NetParameter:
    """The net without a layer; who took its tops takes its first bottom."""
    left = NetParameter(name=net.name)
    gone = net.layer[i]
    for layer in (*net.layer[:i], *net.layer[i + 1 :]):
        kept = left.layer.add()
        kept.CopyFrom(layer)
        if gone.bottom:
            kept.bottom[:] = [gone.bottom[0] if blob in gone.top else blob for blob in layer.bottom]
    fed = {blob for layer in left.layer for blob in layer.bottom}
    for j, layer in reversed(list(enumerate(left.layer))):
        if layer.type == "Input" and layer.top[0] not in fed:
            del left.layer[j]
    return left


def without_fields(layer: LayerParameter) -> Iterator[LayerParameter]:
    """The layer without each of its fields, those of its param message too."""
    for field, value in layer.ListFields():
        if field.name in ("name", "type", "bottom", "top", "input_param"):
            continue
        bare = LayerParameter()
        bare.CopyFrom(layer)
        bare.ClearField(field.name)
        yield bare
        if field.message_type and hasattr(value, "ListFields"):
            for inner, _ in value.ListFields():
                bare = LayerParameter()
                bare.CopyFrom(layer)
                getattr(bare, field.name).ClearField(inner.name)
                yield bare


def write(failure: Failure, folder: Path) -> Path:
    """The net as a prototxt whose comments say what is wrong and how to see it again."""
    path = folder / f"{failure.kind}_{failure.number}_{re.sub(r'[^a-z]+', '_', failure.check)}.prototxt"
    folder.mkdir(parents=True, exist_ok=True)
    told = [f"# {failure.check}: {failure.told}", f"# {failure.command}"]
    if failure.case is not None:
        told.append(f"# phase {failure.case.phase}; inputs and params follow from the seed {failure.case.seed!r}")
        told += [f"# {name} holds {feed.kind} numbers" for name, feed in failure.case.feeds.items()]
        told.append(failure.case.text)
    path.write_text("\n".join(told))
    return path
