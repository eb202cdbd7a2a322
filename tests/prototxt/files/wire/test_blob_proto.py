"""Blobs as files of all ages hold them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from recaffe.prototxt.caffe_pb2 import BlobProto, BlobShape
from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.files.wire.blob_proto import SavedBlob, parse_blob
from recaffe.prototxt.files.wire.mapped_file import MappedFile
from recaffe.prototxt.files.wire.message import WireError

SIX = np.array([1.5, -2.25, 0.0, 3e-40, 6.5, -1e30], np.float32)
Parse = Callable[[bytes], SavedBlob]


@pytest.fixture
def parse(tmp_path: Path) -> Parse:
    def parse(data: bytes) -> SavedBlob:
        path = tmp_path / "blob.binaryproto"
        path.write_bytes(data)
        source = MappedFile(path)
        return parse_blob(source, source.message, "blob")

    return parse


def shaped(*dims: int) -> bytes:
    return BlobProto(shape=BlobShape(dim=dims)).SerializeToString()


def packed(number: int, data: bytes) -> bytes:
    assert len(data) < 128
    return bytes([number << 3 | 2, len(data)]) + data


@pytest.mark.parametrize("pad", range(4))
def test_floats_are_a_view_where_they_lie_aligned(parse: Parse, pad: int) -> None:
    step_over = b"\x7a" + bytes([pad]) + bytes(pad)  # an unknown field 15
    blob = parse(shaped(2, 3) + step_over + packed(5, SIX.tobytes()))
    aligned = blob.runs[0].start % 4 == 0
    first, second = blob.tensor(), blob.tensor()
    assert first.shape == (2, 3)
    assert first.numpy().tobytes() == SIX.tobytes()
    assert (first.data_ptr() == second.data_ptr()) == aligned == (pad == 2)


def test_a_view_may_be_written_and_the_file_stays(parse: Parse, tmp_path: Path) -> None:
    data = shaped(2, 3) + b"\x7a\x02\0\0" + packed(5, SIX.tobytes())
    blob = parse(data)
    view = blob.tensor()
    view += 1
    assert blob.runs[0].start % 4 == 0
    assert torch.equal(blob.tensor(), view)
    assert (tmp_path / "blob.binaryproto").read_bytes() == data


def test_doubles_come_before_floats_as_float32(parse: Parse) -> None:
    doubles = np.array([1 / 3, -2.5, 1e-50])
    blob = parse(packed(5, SIX[:3].tobytes()) + packed(8, doubles.tobytes()) + shaped(3))
    assert blob.dtype == "float64"
    assert blob.tensor().numpy().tobytes() == doubles.astype(np.float32).tobytes()


def test_doubles_one_by_one(parse: Parse) -> None:
    blob = parse(b"".join(b"\x41" + struct.pack("<d", value) for value in (0.5, 7.25)) + shaped(2))
    assert blob.tensor().tolist() == [0.5, 7.25]


def test_a_double_beyond_float_is_infinite(parse: Parse) -> None:
    assert parse(packed(8, np.array([1e300]).tobytes()) + shaped(1)).tensor().tolist() == [float("inf")]


def test_chunks_and_single_values_in_their_order(parse: Parse) -> None:
    singles = b"".join(b"\x2d" + struct.pack("<f", value) for value in SIX[3:5])
    data = packed(5, SIX[:2].tobytes()) + shaped(6) + packed(5, SIX[2:3].tobytes()) + singles
    blob = parse(data + b"\x7a\x00" + packed(5, SIX[5:].tobytes()))
    assert [run.count for run in blob.runs] == [2, 1, 2, 1]
    assert blob.tensor().numpy().tobytes() == SIX.tobytes()


def test_many_single_values_are_read_in_pieces(parse: Parse) -> None:
    values = np.arange(600_001, dtype=np.float32)
    tagged = np.zeros((values.size, 5), np.uint8)
    tagged[:, 0] = 0x2D
    tagged[:, 1:] = values.view(np.uint8).reshape(-1, 4)
    blob = parse(tagged.tobytes() + shaped(600_001))
    assert len(blob.runs) == 1
    assert np.array_equal(blob.tensor().numpy(), values)


@pytest.mark.parametrize(("kind", "dtype"), [(0, "<f8"), (1, "<f4"), (2, "<f2")])
def test_raw_data(parse: Parse, kind: int, dtype: str) -> None:
    values = np.array([0.5, -3.0, 65504.0], dtype)
    blob = parse(shaped(3) + bytes([10 << 3, kind]) + packed(12, values.tobytes()))
    assert blob.dtype == np.dtype(dtype).name
    assert blob.tensor().tolist() == [0.5, -3.0, 65504.0]


def test_raw_integers_are_refused(parse: Parse) -> None:
    with pytest.raises(PrototxtError, match=r"^blob has values of raw_data_type 3; only DOUBLE, FLOAT and FLOAT16"):
        parse(shaped(1) + bytes([10 << 3, 3]) + packed(12, bytes(4)))


def test_legacy_dims_come_before_a_shape(parse: Parse) -> None:
    data = BlobProto(num=1, channels=1, height=2, width=3, data=SIX.tolist(), shape=BlobShape(dim=[0]))
    blob = parse(data.SerializeToString())
    assert (blob.shape, blob.legacy) == ((1, 1, 2, 3), True)
    assert all(map(blob.fits, [(2, 3), (1, 2, 3), (1, 1, 2, 3)]))
    assert not any(map(blob.fits, [(3, 2), (6,), (1, 1, 1, 2, 3)]))


def test_a_shape_fits_itself_alone(parse: Parse) -> None:
    blob = parse(BlobProto(data=SIX[:4].tolist(), shape=BlobShape(dim=[1, 1, 1, 4])).SerializeToString())
    assert blob.fits((1, 1, 1, 4))
    assert not blob.fits((4,))


def test_no_axes_is_one_value(parse: Parse) -> None:
    blob = parse(BlobProto(data=[2.5], shape=BlobShape()).SerializeToString())
    assert blob.tensor().shape == ()
    assert blob.tensor().item() == 2.5


def test_an_empty_blob(parse: Parse) -> None:
    assert parse(shaped(0, 3)).tensor().shape == (0, 3)


def test_diffs_are_left_alone(parse: Parse) -> None:
    blob = parse(BlobProto(data=[1, 2], diff=[3, 4], shape=BlobShape(dim=[2])).SerializeToString())
    assert blob.tensor().tolist() == [1, 2]


@pytest.mark.parametrize(
    ("blob", "message"),
    [
        (BlobProto(data=[1, 2, 3], shape=BlobShape(dim=[2, 4])), "blob holds 3 values, its shape 2×4 needs 8"),
        (BlobProto(data=[1, 2, 3]), "blob holds 3 values, its shape scalar needs 1"),
        (BlobProto(shape=BlobShape(dim=[5])), "blob holds 0 values, its shape 5 needs 5"),
    ],
)
def test_another_count_of_values_is_refused(parse: Parse, blob: BlobProto, message: str) -> None:
    saved = parse(blob.SerializeToString())
    with pytest.raises(PrototxtError) as error:
        saved.tensor()
    assert str(error.value) == message


def test_a_negative_dim_is_refused(parse: Parse) -> None:
    with pytest.raises(PrototxtError, match=r"^blob has the impossible shape 3×-1$"):
        parse(shaped(3, -1))


def test_half_a_value_is_refused(parse: Parse) -> None:
    with pytest.raises(WireError, match=r"byte 2: 6 bytes are no whole number of float32 values"):
        parse(packed(5, bytes(6)))
