"""Tokens to messages, by the schema.

Google's Python reader would not do: it takes +3, 1_000 and 0b1 where Caffe's dies, and gives no layer's place.
"""

from __future__ import annotations

from typing import cast

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from ..caffe_pb2 import LayerParameter, V1LayerParameter
from . import hints
from .tokens import SourceText, TextError, Token

_RANGES = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
_FLOATS = (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE)
_BOOLS = {"true": True, "True": True, "t": True, "false": False, "False": False, "f": False}
_WORDS = {"inf": float("inf"), "infinity": float("inf"), "nan": float("nan")}
_CLOSING = {"{": "}", "<": ">"}


class Parser:
    """One text read into one message; afterwards `layers` holds each layer of a net and where it starts."""

    def __init__(self, source: SourceText) -> None:
        self.layers: list[tuple[LayerParameter | V1LayerParameter, int]] = []
        self._source = source
        self._tokens = source.tokens()
        self._token = next(self._tokens)

    def read(self, message: Message) -> None:
        """Read the whole text into an empty message."""
        given: dict[str, Token] = {}
        while self._token.kind != "end":
            self._field(message, given)

    def _next(self) -> Token:
        token, self._token = self._token, next(self._tokens, self._token)
        return token

    def _accept(self, *symbols: str) -> Token | None:
        return self._next() if self._token.text in symbols else None

    def _error(self, what: str, at: Token | None = None) -> TextError:
        return self._source.error((at or self._token).start, what)

    def _field(self, message: Message, given: dict[str, Token]) -> None:
        """Read one field: its name, and a value, a message, or for a repeated field a list of them."""
        name, field = self._name(message, given)
        is_message = field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE
        if not self._accept(":") and not is_message:
            raise self._error(f"expected a colon and a value after {name.text}, got {self._token}")
        read = self._message if is_message else self._scalar
        # `[]` is an empty list; `[1, ]` is refused by what reads the value.
        in_list = not field.has_presence and bool(self._accept("["))
        if not (in_list and self._accept("]")):
            read(message, field, name)
            while in_list and not self._accept("]"):
                if not self._accept(","):
                    raise self._error(f"expected a comma or ] in the list of {name.text}, got {self._token}")
                read(message, field, name)
        self._accept(";", ",")

    def _name(self, message: Message, given: dict[str, Token]) -> tuple[Token, FieldDescriptor]:
        """Read the name of a field that the message has and that may still be given."""
        schema = _schema(message)
        if self._token.kind != "word":
            raise self._error(f"expected a field of {schema.name}, got {self._token}")
        name = self._next()
        field = schema.fields_by_name.get(name.text)
        if field is None:
            raise self._error(hints.unknown_field(schema, name.text), name)
        # In this schema exactly the repeated fields have no presence.
        if field.has_presence and name.text in given:
            line, column = self._source.place(given[name.text].start)
            raise self._error(f"{name.text} is given twice (first at {line}:{column}), but takes one value", name)
        given[name.text] = name
        return name, field

    def _message(self, message: Message, field: FieldDescriptor, name: Token) -> None:
        opening = self._accept("{", "<")
        if opening is None:
            raise self._error(f"expected {{ after {name.text}, got {self._token}")
        if field.has_presence:
            part: Message = getattr(message, field.name)
            part.SetInParent()
        else:
            part = getattr(message, field.name).add()
        if isinstance(part, LayerParameter | V1LayerParameter):
            self.layers.append((part, name.start))
        given: dict[str, Token] = {}
        while self._token.text not in ("}", ">", ""):
            self._field(part, given)
        if not self._accept(_CLOSING[opening.text]):
            line, column = self._source.place(opening.start)
            wanted = f"{_CLOSING[opening.text]} for the {opening} of {name.text} at {line}:{column}"
            raise self._error(f"expected {wanted}, got {self._token}")

    def _scalar(self, message: Message, field: FieldDescriptor, name: Token) -> None:
        if field.cpp_type in _RANGES:
            value: object = self._integer(field)
        elif field.cpp_type in _FLOATS:
            value = self._float(field)
        elif field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
            value = self._bool(field)
        elif field.enum_type is not None:
            value = self._enum(message, field, field.enum_type)
        else:
            value = self._string(message, field)
        if field.has_presence:
            setattr(message, field.name, value)
        else:
            getattr(message, field.name).append(value)

    def _integer(self, field: FieldDescriptor) -> int:
        low, high = _RANGES[field.cpp_type]
        at = self._token
        sign = self._accept("-") if low else None
        token = self._next()
        value = _integer(token) * (-1 if sign else 1) if token.kind == "integer" else None
        if value is None or not low <= value <= high:
            got = f"-{self._token}" if token.text == "-" else f"{sign or ''}{token}"
            raise self._error(f"{field.name} takes a whole number from {low} to {high}, not {got}", at)
        return value

    def _float(self, field: FieldDescriptor) -> float:
        at = self._token
        sign = -1.0 if self._accept("-") else 1.0
        token = self._next()
        if token.kind == "word" and token.text.lower() in _WORDS:
            return sign * _WORDS[token.text.lower()]
        # Hexadecimal and octal numbers are for integers only.
        if token.kind == "float" or (token.kind == "integer" and (token.text == "0" or token.text[0] != "0")):
            return sign * float(token.text.rstrip("fF"))
        raise self._error(f"{field.name} takes a decimal number, not {token}", at)

    def _bool(self, field: FieldDescriptor) -> bool:
        token = self._next()
        if token.kind == "word" and token.text in _BOOLS:
            return _BOOLS[token.text]
        if token.kind == "integer" and _integer(token) in (0, 1):
            return bool(_integer(token))
        raise self._error(f"{field.name} takes true or false, not {token}", token)

    def _enum(self, message: Message, field: FieldDescriptor, enum: EnumDescriptor) -> int:
        at = self._token
        sign = self._accept("-")
        token = self._next()
        if token.kind == "integer":
            value = enum.values_by_number.get(_integer(token) * (-1 if sign else 1))
        else:
            value = None if sign else enum.values_by_name.get(token.text)
        if value is None:
            raise self._error(hints.unknown_value(_schema(message), field.name, enum, f"{sign or ''}{token}"), at)
        return value.number

    def _string(self, message: Message, field: FieldDescriptor) -> str | bytes:
        if self._token.kind != "string":
            raise self._error(hints.no_string(_schema(message), field.name, str(self._token)))
        value = b""
        while self._token.kind == "string":
            value += self._source.unquote(self._next())
        if field.type == FieldDescriptor.TYPE_BYTES:
            return value
        return value.decode(errors="backslashreplace")  # as names in weights are read


def _schema(message: Message) -> Descriptor:
    # The stubs offer two kinds of Descriptor that differ in name only.
    return cast(Descriptor, message.DESCRIPTOR)


def _integer(token: Token) -> int:
    """The value of an integer token: decimal, 0x hexadecimal, or octal behind a 0."""
    if token.text[:2] in ("0x", "0X"):
        return int(token.text, 16)
    return int(token.text, 8 if token.text[0] == "0" else 10)
