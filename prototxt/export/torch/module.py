"""A net as the text of a Python module, and its tensors by that module's keys."""

from __future__ import annotations

import builtins
import inspect
import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path

from torch import Tensor, nn

from ....layers import times
from ...files import SAFETENSORS, ParamValues, write_tensors
from ...net import Node, Parts
from . import operations, steps
from .code import Code, Site
from .linked import Linked
from .page import page
from .writers import WRITERS

_LONGEST = 112


@dataclass
class Written:
    """A module's text, and what its state_dict is to hold."""

    text: str
    state: dict[str, Tensor]
    renamed: dict[str, str] = field(default_factory=dict)
    """Layers by name, and the attributes that stand for them where these are called otherwise."""


def write_module(name: str, parts: Parts, inputs: Sequence[str], outputs: Sequence[str]) -> Written:
    """A net as the text of a module whose class is `Net`."""
    writer = _Writer(parts)
    for i in range(len(parts.steps)):
        writer.take(i)
    writer.share()
    linked = Linked(dict.fromkeys(use for code in writer.codes for use in code.uses))
    arguments = {writer.variables[blob]: times(parts.shapes[blob]) for blob in inputs}
    kept = {
        blob: variable for blob, variable in writer.variables.items() if blob not in writer.copies or blob in outputs
    }
    given = {blob: writer.variables[blob] for blob in outputs}
    text = page(_line(name) or "Net", linked, arguments, writer.made, writer.ran, kept, given)
    return Written(text, writer.state, writer.renamed)


def write_python(path: Path, written: Written) -> None:
    """Write a module, and its weights as .safetensors beside it."""
    path.write_text(written.text, encoding="utf-8")
    params = {key: ParamValues(tuple(tensor.shape), tensor) for key, tensor in written.state.items()}
    with open(path.with_suffix(SAFETENSORS.suffix), "wb") as file:
        write_tensors(file, params)


class _Writer:
    """Takes layer after layer, and finds a name for everything."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.codes: list[Code] = []
        self.made: list[str] = []
        self.ran: list[str] = []
        self.state: dict[str, Tensor] = {}
        self.renamed: dict[str, str] = {}
        self.variables: dict[str, str] = {}
        """The variable that has the latest version of a blob."""
        self.copies: set[str] = set()
        """Blobs that a Split makes: they have the variable of the blob that it copies."""
        ours = (operations, steps)
        own = (thing for module in ours for thing in vars(module).values() if inspect.getmodule(thing) in ours)
        self._taken = {
            *keyword.kwlist,
            *dir(builtins),
            "self",
            "keep",
            "torch",
            "nn",
            "F",
            "Net",
            "load",
            "Tensor",
            "Path",
            "WEIGHTS",
        }
        self._taken |= Linked(thing for thing in own if callable(thing)).definitions.keys()
        self._attributes: dict[int, str] = {}
        self._taken_attributes = set(dir(nn.Module()))

    def take(self, i: int) -> None:
        """Write one layer: a line where it is made, if it is, and a line where it runs."""
        node = self.parts.steps[i].node
        if node.type == "Split":
            self.variables |= dict.fromkeys(node.tops, self.variables[node.bottoms[0]])
            self.copies |= set(node.tops)
        elif node.type == "Input":
            self.variables |= {top: self._variable(top) for top in node.tops}
        elif node.type != "Silence":
            self._write(i, node)

    def _write(self, i: int, node: Node) -> None:
        attribute = self._attributes[i] = _identifier(node.name, self._taken_attributes)
        shapes = tuple(self.parts.shapes[blob] for blob in node.bottoms)
        bottoms = [self.variables[blob] for blob in node.bottoms]
        code = WRITERS.write(node, self.parts.steps[i].layer, Site(shapes, f"self.{attribute}"), *bottoms)
        self.codes.append(code)
        comment = f"  # {_line(node.name)}: {_line(node.type)}"
        if code.module:
            self._taken_attributes.add(attribute)
            first, *rest = code.module.splitlines()
            self.made += [f"self.{attribute} = {first}{comment}", *rest]
            self.state |= {_key(attribute, name): tensor for name, tensor in code.state.items()}
            self.renamed |= {node.name: attribute} if attribute != node.name else {}
        for top in node.tops:
            # In place on a Split's copy: the other copies keep what their variable holds.
            overwrites = top in node.bottoms and top not in self.copies
            self.variables[top] = self.variables[top] if overwrites else self._variable(top)
            self.copies.discard(top)
        targets = ", ".join(self.variables[top] for top in node.tops)
        line = f"{targets} = {code.call}{comment}"
        if code.call == targets:
            self.ran.append(f"{comment[2:]} changes nothing here")
        else:
            self.ran += [line] if len(line) <= _LONGEST else [comment[2:], f"{targets} = {code.call}"]

    def share(self) -> None:
        """Have layers that share a param share it here, where it has the same form in both."""
        steps = enumerate(self.parts.steps)
        places = {(i, k): key for i, step in steps for k, key in enumerate(self._keys(i, step.layer.params))}
        for param in self.parts.params:
            owner, *others = (places.get(place, "") for place in param.places)
            for other in others:
                if owner and other and self.state[owner].shape == self.state[other].shape:
                    self.made.append(f"self.{other} = self.{owner}  # they share it")

    def _keys(self, i: int, params: Sequence[Tensor]) -> list[str]:
        """The key of each of a layer's params, empty where it has another form."""
        attribute = self._attributes.get(i)
        mine = {t.data_ptr(): key for key, t in self.state.items() if attribute and key.split(".")[0] == attribute}
        return [mine.get(param.data_ptr(), "") for param in params]

    def _variable(self, blob: str) -> str:
        """A new variable for a blob."""
        name = _identifier(blob, self._taken)
        self._taken.add(name)
        return name


def _identifier(name: str, taken: set[str]) -> str:
    """A name as Python allows it, that is none of those taken."""
    base = re.sub(r"\W", "_", name, flags=re.ASCII) or "_"
    base = f"_{base}" if base[0].isdigit() else base
    candidates = chain((base, f"{base}_"), (f"{base}_{number}" for number in count(2)))
    return next(name for name in candidates if name not in taken)


def _line(text: str) -> str:
    """Text that stays within its line."""
    return " ".join(text.split())


def _key(attribute: str, name: str) -> str:
    return f"{attribute}.{name}" if name else attribute
