"""A written ONNX model, run by onnxruntime blob by blob."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError
from torch import Tensor

from ...prototxt.files import Floats
from ..errors import GoldenError

if TYPE_CHECKING:
    from onnx import ModelProto, TensorProto, ValueInfoProto
    from onnxruntime import InferenceSession

_THREADS = 2
_ERRORS = 3
"""What onnxruntime logs: no warnings."""
_LARGE = 1 << 16
"""Arrays of more bytes are not copied along with the graph."""


class OnnxRun:
    """A model as recaffe writes it: `output` and `value_info` list the blobs, whose names are in `doc_string`."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        try:
            import onnx  # here, as only this format needs it
            import onnxruntime
        except ImportError:
            raise GoldenError("needs onnx and onnxruntime to run a model: pip install 'recaffe[onnx]'") from None
        self._onnx, self._runtime = onnx, onnxruntime
        try:
            self._model: ModelProto = onnx.load(self.path)
        except DecodeError as error:
            raise GoldenError(f"{self.path}: is no ONNX model: {error}") from None
        graph = self._model.graph
        self._inputs = {info.name for info in graph.input}
        self._values = {info.doc_string: info.name for info in (*graph.output, *graph.value_info)}
        large = [tensor for tensor in graph.initializer if len(tensor.raw_data) > _LARGE]
        self._weights = {tensor.name: self._taken_out(tensor) for tensor in large}
        self._last: tuple[frozenset[str], InferenceSession, dict[str, str]] | None = None

    def _taken_out(self, tensor: TensorProto) -> Any:
        """An array of the model as onnxruntime takes it beside the graph."""
        array = self._onnx.numpy_helper.to_array(tensor)
        tensor.ClearField("raw_data")
        tensor.data_location = tensor.EXTERNAL
        tensor.external_data.add(key="location", value="weights")
        return self._runtime.OrtValue.ortvalue_from_numpy(array)

    def chained(self, feed: Mapping[str, Tensor]) -> dict[str, Floats]:
        """Every blob of a run as the file has it, each layer on what those before it gave."""
        return self._run(frozenset(), feed)

    def alone(self, blobs: Mapping[str, Tensor]) -> dict[str, Floats]:
        """Every blob, each made by its own layers from the bottoms that are handed in; an in-place chain is one piece.

        A chain that overwrites an input is left out: its bottom is not among the blobs.
        """
        feed = {name: tensor for blob, tensor in blobs.items() for name in (blob, self._values.get(blob, blob))}
        return self._run(frozenset(self._values.keys() & blobs.keys()), feed)

    def _run(self, cut: frozenset[str], feed: Mapping[str, Tensor]) -> dict[str, Floats]:
        """Run the model, cut at these blobs; of the feed it takes what are its inputs."""
        if self._last is None or self._last[0] != cut:
            self._last = None  # its memory goes before the next one is made
            self._last = cut, *self._session(cut)
        _, session, names = self._last
        wanted = [info.name for info in session.get_inputs()]
        if absent := [name for name in wanted if name not in feed]:
            raise GoldenError(f"{self.path}: was not given its input {absent[0]!r}")
        arrays = {name: feed[name].detach().cpu().contiguous().numpy() for name in wanted}
        state = self._runtime.capi.onnxruntime_pybind11_state
        try:
            found = session.run(list(names.values()), arrays) if names else []
        except (state.Fail, state.InvalidArgument, state.RuntimeException) as error:
            raise GoldenError(f"{self.path}: onnxruntime cannot run it: {str(error).splitlines()[0]}") from error
        return dict(zip(names, found, strict=True))

    def _session(self, cut: frozenset[str]) -> tuple[InferenceSession, dict[str, str]]:
        """The model with every blob as an output, and those names; who takes a blob of `cut` takes it as an input."""
        model = self._onnx.ModelProto()
        model.CopyFrom(self._model)
        made = {self._values[blob]: f"{self._values[blob]} as made" for blob in cut}
        for node in model.graph.node:
            node.output[:] = [made.get(output, output) for output in node.output]
        model.graph.input.extend(map(self._info, made))
        kept = {blob: value for blob, value in self._values.items() if not cut or blob not in self._inputs}
        names = {blob: made.get(value, value) for blob, value in kept.items()}
        del model.graph.output[:]
        model.graph.output.extend(map(self._info, names.values()))
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = _THREADS
        options.log_severity_level = _ERRORS
        options.add_external_initializers(list(self._weights), list(self._weights.values()))
        providers = ["CPUExecutionProvider"]
        return self._runtime.InferenceSession(model.SerializeToString(), options, providers=providers), names

    def _info(self, value: str) -> ValueInfoProto:
        return self._onnx.helper.make_tensor_value_info(value, self._onnx.TensorProto.FLOAT, None)
