"""A format of files: how a file of it is told, read, listed and written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from ..errors import PrototxtError
from .layer_params import LayerParams
from .weights import Blob, SavedLayer, Weights
from .wire import Dialect, MappedFile

Write = Callable[[Path, str, Sequence[LayerParams], Dialect], None]
"""Writes a net's name and layers to a place where no file is; only a .caffemodel has a name and a dialect."""


@dataclass(frozen=True)
class Listing:
    """A file's kind in words, what it says beside its blobs, and its blobs as layers.

    Where there are no layers, each array is an entry of its own under its key, as blob 0.
    """

    what: str
    facts: Mapping[str, object] = field(default_factory=dict)
    entries: tuple[SavedLayer, ...] = ()
    layered: bool = True

    @classmethod
    def of_arrays(cls, what: str, arrays: Mapping[str, Blob], facts: Mapping[str, object] | None = None) -> Listing:
        """The listing of arrays by key."""
        entries = tuple(SavedLayer(key, "", {0: blob}) for key, blob in arrays.items())
        return cls(what, facts or {}, entries, layered=False)


@dataclass(frozen=True)
class Format:
    """One format. Each has a module of its own, which ends with it; `sniff.FORMATS` lists them all."""

    name: str
    suffixes: tuple[str, ...]
    """The first is that of the files written here."""
    recognises: Callable[[MappedFile], bool]
    """Whether a file is of this format and of none before it in the list, by its content."""
    read: Callable[[MappedFile], Weights]
    """A net's weights; values stay in the file."""
    listing: Callable[[MappedFile], Listing]
    """Whatever lies in a file; values stay in it."""
    write: Write | None = None
    """None where a net's weights are not written so."""
    signed: bool = True
    """Whether its first bytes are its own. Caffe's messages have only fields, and so may seem to have any file."""
    by_module: bool = False
    """Whether layers go by the keys of a Net's state_dict, which are unlike where names are alike."""
    dialects: bool = False
    """Whether each fork of Caffe writes its own."""

    @property
    def suffix(self) -> str:
        """The suffix of the files written here."""
        return self.suffixes[0]

    def title(self, dialect: str) -> str:
        """The format of a file written for a fork, as reports name it."""
        return f"{self.suffix} of {dialect}'s Caffe" if self.dialects else self.suffix


def no_weights(what: str) -> Callable[[MappedFile], Weights]:
    """The `read` of a format in which there are never a net's weights."""

    def refuse(source: MappedFile) -> Weights:
        raise PrototxtError(f"{source.path}: is {what}, not the weights of a net")

    return refuse


def layers_alone(write: Callable[[BinaryIO, Sequence[LayerParams]], None]) -> Write:
    """The `write` of a format that has layers alone, from a function that writes them to an open file."""

    def write_file(path: Path, net_name: str, layers: Sequence[LayerParams], dialect: Dialect) -> None:
        with open(path, "xb") as file:
            write(file, layers)

    return write_file
