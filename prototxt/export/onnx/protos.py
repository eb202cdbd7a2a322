"""From a draft to ONNX's own messages: the one module here that needs the package onnx."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

from .draft import Array, Body, Draft, Op, Result

OPSET, IR_VERSION = 17, 8
"""Those of ONNX 1.12: what runs models has known them since 2022."""


def model_of(
    name: str, draft: Draft, inputs: Mapping[str, Sequence[int | str]], results: Sequence[Result]
) -> ModelProto:
    """The model of a draft; arrays are copied once."""
    opset = helper.make_opsetid("", OPSET)
    empty = helper.make_graph([], name, [], [])
    model = helper.make_model(empty, opset_imports=[opset], ir_version=IR_VERSION, producer_name="recaffe")
    graph = model.graph
    graph.node.extend(_node(op) for op in draft.ops)
    graph.input.extend(_info(blob, blob, lengths) for blob, lengths in inputs.items())
    for result in results:
        infos = graph.output if result.is_output else graph.value_info
        infos.append(_info(result.value, result.blob, result.lengths))
    for key, array in draft.arrays.items():
        _fill(graph.initializer.add(), key, array)
    return model


def _node(op: Op) -> NodeProto:
    attributes = {key: _attribute(value) for key, value in op.attributes.items()}
    return helper.make_node(op.kind, op.inputs, op.outputs, name=op.name, **attributes)


def _attribute(value: object) -> Any:
    """Types by their number, a body as a graph."""
    if isinstance(value, Body):
        inputs, outputs = ([_info(name, "", [None, None]) for name in names] for names in (value.inputs, value.outputs))
        return helper.make_graph([_node(op) for op in value.ops], "step", inputs, outputs)
    return helper.np_dtype_to_tensor_dtype(value) if isinstance(value, np.dtype) else value


def _info(value: str, blob: str, lengths: Sequence[int | str | None]) -> ValueInfoProto:
    return helper.make_tensor_value_info(value, TensorProto.FLOAT, lengths, doc_string=blob)


def _fill(tensor: TensorProto, name: str, array: Array) -> None:
    tensor.name, tensor.data_type = name, helper.np_dtype_to_tensor_dtype(array.dtype)
    tensor.dims.extend(array.shape)
    tensor.raw_data = array.tobytes()
