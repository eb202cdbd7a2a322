"""Torch operators of our own: seen by compile and export, and called without importing torch's compiler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Function = Callable[..., Tensor]


class Operator:
    """A function registered as `recaffe::NAME`, with the methods of torch.library.custom_op.

    That decorator would wrap every kernel so that the first call imports the compiler, which takes 1.5 s.
    """

    def __init__(self, name: str, function: Function) -> None:
        self.name = f"recaffe::{name}"
        schema = torch.library.infer_schema(function, mutates_args=())
        torch.library.define(self.name, schema, tags=torch.Tag.pt2_compliant_tag)
        torch.library.impl(self.name, "default", function)
        self._call = getattr(torch.ops.recaffe, name).default

    def __call__(self, *args: Tensor | float) -> Tensor:
        result: Tensor = self._call(*args)
        return result

    def register_fake(self, function: Function) -> Function:
        """Register what gives the result's shape without computing it."""
        torch.library.register_fake(self.name, function)
        return function

    def register_autograd(self, backward: Callable[..., Any], setup_context: Callable[..., None]) -> None:
        """Register the gradient."""
        torch.library.register_autograd(self.name, backward, setup_context=setup_context)


def operator(name: str) -> Callable[[Function], Operator]:
    """Register the function below as an operator."""
    return lambda function: Operator(name, function)
