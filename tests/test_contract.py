"""What every registered layer type keeps: its module, its test, its fixture, its docstring and the schema's fields."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from google.protobuf.descriptor import FieldDescriptor
from torch import Tensor

from recaffe.layers.base.fillers import Filler
from recaffe.layers.base.layer import Layer
from recaffe.layers.base.registry import registered
from recaffe.prototxt import caffe_pb2

from .layers.test_gradients import CASES

ROOT = Path(__file__).resolve().parent.parent
TYPES = registered()
PAGE = "docs/contributing.md#add-a-layer says how to write it"
# What a net offers every constructor, the last line to those that deal with files.
OFFERED = {"phase", "rng", "generator", "given"} | {
    *("seeds", "folder", "transform_param", "top_names", "read_datum"),
}


def shipped() -> set[str]:
    """The layer types of all shipped fixtures, a Python layer by its class."""
    folder = ROOT / "golden" / "fixtures"
    texts = [path.read_text() for path in folder.glob("parsing/*.prototxt")]
    for path in folder.rglob("*.npz"):
        with np.load(path) as archive:
            texts += [str(archive["prototxt"])] if "prototxt" in archive else []
    return {word for text in texts for word in re.findall(r"\b(?:type|layer)\s*:\s*[\"'](\w+)[\"']", text)}


def home(cls: type[Layer]) -> str:
    """The module of a type below layers/, as a path without suffix."""
    return cls.__module__.removeprefix("recaffe.layers.").replace(".", "/")


def test_a_type_has_a_module_and_a_test_of_its_name() -> None:
    assert len(TYPES) > 20
    tests = {name: Path("tests", "layers", home(cls)) for name, cls in TYPES.items()}
    files = {name: path.with_name(f"test_{path.name}.py").as_posix() for name, path in tests.items()}
    missing = [f"{file} (of {name})" for name, file in files.items() if not (ROOT / file).is_file()]
    assert not missing, f"missing: {', '.join(missing)}; {PAGE}"


def test_a_type_has_a_fixture() -> None:
    have = shipped()
    without = [name for name in TYPES if name.rpartition(".")[2] not in have]
    missing = [f"golden/fixtures/layers/{home(TYPES[name])}.npz (of {name})" for name in without]
    assert not missing, f"missing: {', '.join(missing)}; {PAGE}"


def test_a_docstring_names_bottoms_and_tops() -> None:
    for name, cls in TYPES.items():
        where = f"layers/{home(cls)}.py: the docstring of {name} names no {{}}; {PAGE}"
        assert re.search(r"\btops?\b", cls.__doc__ or "", re.IGNORECASE), where.format("top")
        takes_none = cls.bottoms.most == 0
        assert takes_none or re.search(r"\bbottoms?\b", cls.__doc__ or "", re.IGNORECASE), where.format("bottom")


@pytest.mark.parametrize("name", TYPES)
def test_keywords_and_defaults_are_the_schemas(name: str) -> None:
    cls = TYPES[name]
    keywords = {key: parameter.default for key, parameter in inspect.signature(cls).parameters.items()}
    own = {key: value for key, value in keywords.items() if key not in OFFERED and key not in cls.config}
    if "." not in name:  # a Python layer's keywords are its param_str's
        fields = schema(cls)
        assert set(own) == set(fields)
        assert {key: Filler if isinstance(value, Filler) else value for key, value in own.items()} == {
            key: default(field) for key, field in fields.items()
        }


def example(name: str) -> tuple[Layer, list[Tensor]]:
    """A layer of a type, as it is where its slopes are checked, and its bottoms."""
    case = CASES.get(name, CASES["ReLU"])
    layer = TYPES[name](**(case.keywords if name in CASES else {}))
    torch.manual_seed(5)
    bottoms = [b.detach().float() if isinstance(b, Tensor) else torch.randn(b) for b in case.bottoms]
    layer.setup(*(tuple(bottom.shape) for bottom in bottoms), num_tops=case.tops)
    for param in layer.parameters():
        param.data = torch.rand(param.shape) + 0.5
    return layer.eval(), bottoms


def moved(layer: Layer, bottoms: list[Tensor], where: Any) -> list[Tensor]:
    """Where the tops change when the first bottom does at `where`."""
    other = bottoms[0].clone()
    other[where] += 0.25
    with torch.no_grad():
        before, after = layer(*bottoms), layer(other, *bottoms[1:])
    return [a != b for a, b in zip(before, after, strict=True)]


# Each of these makes a number from others beside its own.
MIXING = {"BatchNorm", "LRN", "Softmax"}


@pytest.mark.parametrize("name", [name for name, cls in TYPES.items() if cls.keeps_places or cls.same_shape])
def test_places_are_kept(name: str) -> None:
    layer, bottoms = example(name)
    count = bottoms[0].numel()
    for k in range(count):
        for changed in moved(layer, bottoms, np.unravel_index(k, bottoms[0].shape)):
            assert changed.numel() == count
            assert name in MIXING or changed.flatten().nonzero().flatten().tolist() in ([k], [])


@pytest.mark.parametrize("name", [name for name, cls in TYPES.items() if cls.keeps_channels])
def test_channels_are_kept(name: str) -> None:
    layer, bottoms = example(name)
    channels = bottoms[0].shape[1]
    for k in range(channels):
        for changed in moved(layer, bottoms, np.s_[:, k]):
            if name in {"Flatten", "PSROIPooling", "Reshape"}:  # joined with other axes, or a group as one
                continue
            assert changed.shape[1] == channels
            found = changed.transpose(0, 1).flatten(1).any(dim=1).nonzero().flatten().tolist()
            assert name in MIXING - {"BatchNorm"} or found in ([k], [])


def test_what_reads_files_is_told_where_they_are() -> None:
    readers = {name for name, cls in TYPES.items() if cls.reads_files}
    assert readers == {
        name for name, cls in TYPES.items() if cls.bottoms.most == 0 and "folder" in inspect.signature(cls).parameters
    }


def test_class_scores_are_a_bottoms() -> None:
    assert {cls.bottoms.least > 0 for cls in TYPES.values() if cls.takes_class_scores} == {True}


@pytest.mark.filterwarnings("ignore")  # torch warns of its own compiler
@pytest.mark.parametrize("name", [name for name in CASES if example(name)[0].compiles])
def test_what_compiles_is_one_program(name: str) -> None:
    layer, bottoms = example(name)
    torch.compiler.reset()
    program = torch.compile(layer, backend="eager", fullgraph=True)
    for _ in range(2):
        for want, have in zip(layer(*bottoms), program(*bottoms), strict=True):
            torch.testing.assert_close(have, want, rtol=0, atol=0)


def schema(cls: type[Layer]) -> dict[str, FieldDescriptor]:
    """Every field of the messages that a class reads, by name."""
    messages = [caffe_pb2.LayerParameter.DESCRIPTOR.fields_by_name[field].message_type for field in cls.messages]
    return {field.name: field for message in messages for field in message.fields}


def default(field: FieldDescriptor) -> Any:
    """What a constructor's keyword is where the prototxt is silent."""
    if field.is_repeated:
        return ()
    if field.message_type is not None:
        return Filler if field.message_type.name == "FillerParameter" else None  # which one, Caffe's code decides
    if not field.has_default_value:
        return None
    if field.enum_type is not None:
        return field.enum_type.values_by_number[field.default_value].name
    if field.cpp_type == FieldDescriptor.CPPTYPE_FLOAT:
        return pytest.approx(field.default_value, rel=1e-7)
    return field.default_value
