"""Where a converter draws one layer, and the values that it computes with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Union

import numpy as np
import numpy.typing as npt
from torch import Tensor

from ....layers import Layer, Shape
from ..refusals import ExportError
from .draft import Array, Body, Draft, Op

FLOAT, DOUBLE, INT, BOOL = np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.int64), np.dtype(np.bool_)

Operand = Union["Value", float, Sequence[int], Array]


class Value:
    """A value of the graph; computing with it draws nodes. Numbers beside it become constants of its dtype."""

    def __init__(self, stage: Stage, name: str, dtype: np.dtype[Any] = FLOAT) -> None:
        self.stage, self.name, self.dtype = stage, name, dtype

    def op(self, kind: str, *others: Operand, dtype: np.dtype[Any] | None = None, **attributes: object) -> Value:
        """Draw a node that takes this value first and gives one value, of this dtype unless said otherwise."""
        operands = [self.stage.value(other, self.dtype) for other in others]
        return self.stage.op(kind, self, *operands, dtype=dtype or self.dtype, **attributes)

    def cast(self, dtype: np.dtype[Any]) -> Value:
        """The same numbers as another dtype; whole numbers lose their fraction."""
        return self.op("Cast", dtype=dtype, to=dtype) if dtype != self.dtype else self

    def lengths(self, start: int, end: int | None = None) -> Value:
        """The lengths of the axes from `start` to before `end`, as a vector."""
        ends = {} if end is None else {"end": end}
        return self.op("Shape", dtype=INT, start=start, **ends)

    def length(self, axis: int) -> Value:
        """The length of one axis, as a vector of one number."""
        return self.lengths(axis, axis + 1)

    def reshape(self, shape: Operand) -> Value:
        """The same numbers under another shape; 0 keeps a length, -1 is inferred."""
        return self.op("Reshape", self.stage.value(shape, INT))

    def unsqueeze(self, *axes: int) -> Value:
        """New axes of length 1, at these places of the result."""
        return self.op("Unsqueeze", self.stage.value(axes, INT)) if axes else self

    def between(self, axis: int, start: Operand, end: Operand, step: int = 1) -> Value:
        """The part of an axis from `start` to before `end`."""
        bounds = (self.stage.value(bound, INT) for bound in (start, end, [axis], [step]))
        return self.op("Slice", *bounds)

    def __add__(self, other: Operand) -> Value:
        return self.op("Add", other)

    def __sub__(self, other: Operand) -> Value:
        return self.op("Sub", other)

    def __mul__(self, other: Operand) -> Value:
        return self.op("Mul", other)

    def __truediv__(self, other: Operand) -> Value:
        return self.op("Div", other)

    def __ge__(self, other: Operand) -> Value:
        return self.op("GreaterOrEqual", other, dtype=BOOL)

    def __gt__(self, other: Operand) -> Value:
        return self.op("Greater", other, dtype=BOOL)

    def __and__(self, other: Operand) -> Value:
        return self.op("And", other)


class Stage:
    """The drawing of one layer: its bottoms' shapes in the prototxt, its params, and the nodes so far."""

    def __init__(self, draft: Draft, name: str, layer: Layer, shapes: Sequence[Shape], num_tops: int) -> None:
        self.draft, self.name, self.layer = draft, name, layer
        self.shapes, self.num_tops = shapes, num_tops
        self._ops: list[Op] = []
        self._constants: dict[tuple[str, Shape, bytes], Value] = {}

    def op(self, kind: str, *inputs: Value, dtype: np.dtype[Any] = FLOAT, **attributes: object) -> Value:
        """Draw a node that gives one value."""
        return self.ops(kind, *inputs, count=1, dtype=dtype, **attributes)[0]

    def ops(
        self, kind: str, *inputs: Value, count: int, dtype: np.dtype[Any] = FLOAT, **attributes: object
    ) -> tuple[Value, ...]:
        """Draw a node that gives several values."""
        wish = f"{self.name}/{kind}_{len(self._ops)}"
        outputs = [self.draft.new_name(wish) for _ in range(count)]
        self._ops.append(Op(kind, [value.name for value in inputs], outputs, attributes))
        return tuple(Value(self, name, dtype) for name in outputs)

    def scan(
        self, states: Sequence[Value], sequences: Sequence[Value], step: Callable[[tuple[Value, ...]], Sequence[Value]]
    ) -> tuple[Value, ...]:
        """Draw a loop over the first axis of sequences; gives the last states and what each step gave beside them.

        `step` gets the states and one item of each sequence, and gives the new states and more.
        """
        outside, self._ops = self._ops, []
        inner = [Value(self, self.draft.new_name(f"{self.name}/step_{i}")) for i in range(len(states) + len(sequences))]
        # A value may be given once: an Identity each.
        given = [value.op("Identity") for value in step(tuple(inner))]
        for op in self._ops:
            op.name = self.draft.new_op_name(op.outputs[0])
        body = Body(self._ops, [value.name for value in inner], [value.name for value in given])
        self._ops = outside
        return self.ops("Scan", *states, *sequences, count=len(given), body=body, num_scan_inputs=len(sequences))

    def value(self, operand: Operand, dtype: np.dtype[Any] = FLOAT) -> Value:
        """A value as it is; a number or numbers as a constant."""
        return operand if isinstance(operand, Value) else self.constant(operand, dtype)

    def constant(self, numbers: npt.ArrayLike, dtype: np.dtype[Any] = FLOAT) -> Value:
        """A constant, drawn once however often it is asked for."""
        array = np.asarray(numbers, dtype)
        key = dtype.str, array.shape, array.tobytes()
        if key not in self._constants:
            wish = f"{self.name}/constant_{len(self._constants)}"
            self._constants[key] = Value(self, self.draft.add_array(wish, array), dtype)
        return self._constants[key]

    @property
    def params(self) -> list[Value]:
        """The layer's params, in its own shapes."""
        return [self.param(index, shape) for index, shape in enumerate(self.layer.param_shapes)]

    def param(self, index: int, shape: Shape) -> Value:
        """A param, read under another shape of as many numbers."""
        stored: Tensor = getattr(self.layer, str(index))
        if stored.is_meta:
            raise ExportError(f"param {index} has no values yet: load weights, or fill the net")
        return Value(self, self.draft.add_param(f"{self.name}/{index}", stored, shape))

    def finish(self, tops: Sequence[Value], names: Sequence[str]) -> None:
        """Give the tops their names, and the nodes theirs: the last one the layer's."""
        renamed: dict[str, str] = {}
        made = {output for op in self._ops for output in op.outputs}
        for top, name in zip(tops, names, strict=True):
            if top.name in made and top.name not in renamed:
                renamed[top.name] = name
            else:
                self._ops.append(Op("Identity", [top.name], [name]))
        for op in self._ops:
            op.inputs = [renamed.get(value, value) for value in op.inputs]
            op.outputs = [renamed.get(value, value) for value in op.outputs]
        for number, op in enumerate(self._ops, 1):
            wish = self.name if number == len(self._ops) else f"{self.name}/{op.kind}_{number - 1}"
            op.name = self.draft.new_op_name(wish)
        self.draft.ops += self._ops
