"""Protobuf's bytes: messages read in place, blobs in them, and layers as each fork of Caffe writes them."""

from .blob_proto import SavedBlob, parse_blob
from .chunks import Chunk, blob_chunks, field, message_chunks, write_chunks
from .datum import read_datum
from .dialects import DIALECTS, Dialect, DialectError, dialect_of
from .mapped_file import MappedFile, disguise
from .message import FIXED32, FIXED64, LENGTH, VARINT, Field, Message, WireError
from .survey import survey

__all__ = [
    "DIALECTS",
    "FIXED32",
    "FIXED64",
    "LENGTH",
    "VARINT",
    "Chunk",
    "Dialect",
    "DialectError",
    "Field",
    "MappedFile",
    "Message",
    "SavedBlob",
    "WireError",
    "blob_chunks",
    "dialect_of",
    "disguise",
    "field",
    "message_chunks",
    "parse_blob",
    "read_datum",
    "survey",
    "write_chunks",
]
