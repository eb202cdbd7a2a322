"""Which kind of file it is: by its first bytes, then by its suffix, then by the fields that it has."""

from __future__ import annotations

from pathlib import Path

from .mapped_file import MappedFile
from .weights import Kind
from .wire import FIXED32, FIXED64, LENGTH, VARINT, WireError

_MAGIC: dict[bytes, Kind] = {b"\x89HDF": "hdf5", b"\x93NUMPY": "npy", b"PK\x05\x06": "npz", b"\x80\x02": "pt"}
_SUFFIXES: dict[str, Kind] = {
    ".h5": "hdf5",
    ".npy": "npy",
    ".npz": "npz",
    ".pt": "pt",
    ".pth": "pt",
    ".safetensors": "safetensors",
}
_WIRE_SUFFIXES: dict[str, Kind] = {".binaryproto": "binaryproto", ".solverstate": "solverstate"}
_OTHERS = {b"\x89PNG": "a PNG image", b"\xff\xd8\xff": "a JPEG image", b"\x1f\x8b": "packed by gzip"}
_ZIP, _FIRST_NAME = b"PK\x03\x04", 30
_LONGEST_HEADER = 1 << 32


def kind_of(source: MappedFile) -> Kind:
    """The kind of a file; what is none that is read here counts as a .caffemodel, whose reader refuses it."""
    head = bytes(source.map[:_FIRST_NAME])
    suffix = Path(source.path).suffix.lower()
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind
    if head.startswith(_ZIP):
        # The first file in the archive tells: torch's is never a .npy.
        length = int.from_bytes(head[26:28], "little")
        return "npz" if source.map[_FIRST_NAME : _FIRST_NAME + length].endswith(b".npy") else "pt"
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < _LONGEST_HEADER:
        return "safetensors"
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    if disguise(source):
        return "caffemodel"
    return _wire_kind(source) or _WIRE_SUFFIXES.get(suffix, "caffemodel")


def disguise(source: MappedFile) -> str:
    """What a file is that is none of weights, where it can be told."""
    head = bytes(source.map[:256])
    for magic, what in _OTHERS.items():
        if head.startswith(magic):
            return what
    text = head.strip() and all(byte >= 32 or byte in b"\t\n\r" for byte in head)
    return "text" if text else ""


def _wire_kind(source: MappedFile) -> Kind | None:
    """Which of Caffe's messages has the fields found; the numbers of all begin at 1, what they hold differs."""
    seen = set()
    try:
        for item in source.message:
            seen.add((item.number, item.kind))
    except WireError:
        pass  # what came before the damage may tell
    if (1, VARINT) in seen:  # an iteration, or a legacy blob's num
        return "solverstate" if seen & {(2, LENGTH), (3, LENGTH)} else "binaryproto" if (2, VARINT) in seen else None
    if seen & {(1, LENGTH), (2, LENGTH), (100, LENGTH)}:
        return "caffemodel"
    return "binaryproto" if seen & {(5, LENGTH), (5, FIXED32), (7, LENGTH), (8, FIXED64), (12, LENGTH)} else None
