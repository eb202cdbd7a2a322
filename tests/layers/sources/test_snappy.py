import pytest

from recaffe.layers.sources.snappy import unpack, varint


def test_numbers_of_seven_bits_to_a_byte() -> None:
    assert varint(b"\x00\x05\xac\x02", 1) == (5, 2)
    assert varint(b"\xac\x02", 0) == (300, 2)


@pytest.mark.parametrize(
    ("packed", "want"),
    [
        (b"\x00", b""),
        (b"\x03\x08abc", b"abc"),
        (b"\x50\xf0\x4f" + bytes(range(80)), bytes(range(80))),  # a count in a byte of its own
        (b"\x80\x02\xf4\xff\x00" + bytes(256), bytes(256)),  # in two bytes
        (b"\x0b\x08abc\x11\x03", b"abcabcabcab"),  # eight from three before, through its own start
        (b"\x07\x08abc\x0e\x03\x00", b"abcabca"),  # the distance in two bytes
        (b"\x07\x08abc\x0f\x03\x00\x00\x00", b"abcabca"),  # in four
    ],
)
def test_pieces(packed: bytes, want: bytes) -> None:
    assert unpack(packed) == want


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        (b"\x04\x08abc", "give 3 bytes, not 4"),
        (b"\x0b\x08abc\x11", "end within a piece"),
        (b"\x0b\x08abc\x11\x04", "before their start"),
        (b"\x0b\x08abc\x11\x00", "before their start"),
    ],
)
def test_damage(packed: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        unpack(packed)
