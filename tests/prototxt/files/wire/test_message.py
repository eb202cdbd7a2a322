"""The wire reader beside protobuf's own, and on bytes that no protobuf writes."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recaffe.prototxt.caffe_pb2 import BlobProto, BlobShape
from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.files.wire.message import FIXED32, LENGTH, Field, Message, WireError


def fields(data: bytes) -> list[Field]:
    return list(Message("file", data))


def test_fields_and_where_they_lie() -> None:
    data = b"\x08\x96\x01" + b"\x12\x03abc" + b"\x1d\0\0\x80\x3f" + b"\x21" + bytes(8) + b"\xa2\x06\x00"
    assert fields(data) == [
        Field(1, 0, 1, 3, 150),
        Field(2, 2, 5, 8),
        Field(3, 5, 9, 13),
        Field(4, 1, 14, 22),
        Field(100, 2, 25, 25),
    ]


@given(st.lists(st.integers(-(1 << 63), (1 << 63) - 1)))
def test_signed_integers_packed(values: list[int]) -> None:
    message = Message("file", BlobShape(dim=values).SerializeToString())
    assert [value for field in message for value in message.integers(field)] == values


def test_integers_unpacked() -> None:
    message = Message("file", b"\x08\x03\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
    assert [value for field in message for value in message.integers(field)] == [3, -1]


def test_a_message_inside() -> None:
    message = Message("file", BlobProto(shape=BlobShape(dim=[4, 300]), num=7).SerializeToString())
    inside = {field.number: field for field in message}
    assert message.integer(inside[1]) == 7
    shape = message.message(inside[7])
    assert [shape.integers(field) for field in shape] == [[4, 300]]


def test_text_that_is_no_utf8_can_be_printed() -> None:
    message = Message("file", b"\x0a\x03a\xffb")
    assert message.text(next(iter(message))) == "a\\xffb"


@pytest.mark.parametrize("count", [1, 2, 16, 17, 18, 80, 81, 82, 5000])
def test_fixed_fields_in_a_row_are_one(count: int) -> None:
    row = b"\x2d\x2d\x2d\x2d\x2d" * count  # the values hold the tag's byte too
    first, second = fields(row + b"\x35\x2d\x2d\x2d\x2d")
    assert first == Field(5, FIXED32, 1, 5 * count, 0, count)
    assert (second.number, second.repeats) == (6, 1)
    assert fields(row) == [first]


def test_a_row_ends_with_its_message() -> None:
    outer = Message("file", b"\x0a\x0a" + b"\x2d0000" * 2 + b"\x2d1111")
    inner, after = list(outer)
    assert [field.repeats for field in outer.message(inner)] == [2]
    assert after.repeats == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x08", "byte 1: its message ends within a number"),
        (b"\x08\x80\x80", "byte 1: its message ends within a number"),
        (b"\x08" + b"\xff" * 11, "byte 1: a number has more than 64 bits"),
        (b"\x08" + b"\xff" * 9 + b"\x02", "byte 1: a number has more than 64 bits"),
        (b"\x02\x00", "byte 0: no field has the number 0"),
        (b"\xf8\xff\xff\xff\x1f\x00", "byte 0: no field has the number 1073741823"),
        (b"\x0b\x0c", "byte 0: field 1 has the wire type 3, which Caffe's files never have"),
        (b"\x0e", "byte 0: field 1 has the wire type 6, which Caffe's files never have"),
        (b"\x0a\x05abcd", "byte 0: field 1 claims 5 bytes where its message has 4 left"),
        (b"\x0a\xff\xff\xff\xff\x0f", "byte 0: field 1 claims 4294967295 bytes where its message has 0 left"),
        (b"\x0a" + b"\xff" * 9 + b"\x01", "field 1 claims 18446744073709551615 bytes where its message has 0 left"),
        (b"\x0d\0\0\0", "byte 0: field 1 claims 4 bytes where its message has 3 left"),
        (b"\x09\0\0\0", "byte 0: field 1 claims 8 bytes where its message has 3 left"),
    ],
)
def test_damage_is_refused_with_its_place(data: bytes, message: str) -> None:
    with pytest.raises(WireError) as error:
        fields(data)
    assert str(error.value).startswith("file: byte ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_length_counts_within_its_own_message() -> None:
    outer = Message("file", b"\x0a\x03\x12\x02ab" + b"\x12\x01c")  # the inner field claims one byte of what follows
    with pytest.raises(WireError, match=r"byte 2: field 2 claims 2 bytes where its message has 1 left"):
        list(outer.message(next(iter(outer))))


def test_another_wire_type_is_refused() -> None:
    message = Message("file", b"\x08\x01")
    with pytest.raises(WireError, match=r"byte 1: field 1 holds a number, not a run of bytes"):
        message.text(next(iter(message)))
    message.expect(Field(1, LENGTH, 0, 0), FIXED32, LENGTH)


def test_it_is_the_error_of_the_folder() -> None:
    assert issubclass(WireError, PrototxtError)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(WireError):
        assert all(0 < field.start <= field.end <= len(data) for field in fields(data))
