"""Snappy's packing, undone."""

from __future__ import annotations


def unpack(data: bytes) -> bytes:
    """The bytes that were packed; ValueError where these are none.

    After the length of the whole come pieces, each with a tag: bytes as they are, or a stretch of the output again.
    """
    length, at = varint(data, 0)
    out = bytearray()
    try:
        while at < len(data):
            tag = data[at]
            at += 1
            if tag & 3 == 0:
                count = (tag >> 2) + 1
                if count > 60:  # so many bytes less 60 hold the count, less 1
                    wide = count - 60
                    count, at = int.from_bytes(data[at : at + wide], "little") + 1, at + wide
                out += data[at : at + count]
                at += count
                continue
            if tag & 3 == 1:
                count, distance, at = (tag >> 2 & 7) + 4, (tag >> 5) << 8 | data[at], at + 1
            else:
                wide = 2 if tag & 3 == 2 else 4
                count, distance, at = (tag >> 2) + 1, int.from_bytes(data[at : at + wide], "little"), at + wide
            _repeat(out, distance, count)
    except IndexError:
        raise ValueError("packed data end within a piece") from None
    if len(out) != length:
        raise ValueError(f"packed data give {len(out)} bytes, not {length}")
    return bytes(out)


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that starts there, seven bits to a byte, the lowest first, and where it ends."""
    value = shift = 0
    while (byte := data[at]) & 0x80:
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return value | byte << shift, at + 1


def _repeat(out: bytearray, distance: int, count: int) -> None:
    """Append `count` bytes from `distance` before the end on, which may run into what is being appended."""
    start = len(out) - distance
    if distance == 0 or start < 0:
        raise ValueError("packed data refer to bytes before their start")
    stretch = bytes(out[start : start + count])
    out += (stretch * (count // len(stretch) + 1))[:count]
