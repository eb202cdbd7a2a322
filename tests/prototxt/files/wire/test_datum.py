import numpy as np
import pytest

from recaffe.prototxt.caffe_pb2 import Datum
from recaffe.prototxt.files.wire.datum import read_datum
from recaffe.prototxt.files.wire.message import WireError


def test_every_field() -> None:
    message = Datum(channels=2, height=3, width=5, data=b"\0\xffabc", label=-7, float_data=[1.5, -2], encoded=True)
    datum = read_datum(message.SerializeToString(), "item")
    assert (datum.channels, datum.height, datum.width, datum.label) == (2, 3, 5, -7)
    assert datum.data == b"\0\xffabc"
    assert datum.encoded
    assert datum.float_data is not None
    assert datum.float_data.tolist() == [1.5, -2]


def test_what_is_not_set_has_its_default() -> None:
    datum = read_datum(b"", "item")
    assert (datum.channels, datum.data, datum.label, datum.float_data, datum.encoded) == (0, b"", 0, None, False)


@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 1000])
def test_floats_behind_tags_and_packed(count: int) -> None:
    values = np.random.RandomState(3).standard_normal(count).astype(np.float32)
    tagged = Datum(float_data=values, label=9).SerializeToString()
    packed = b"\x32" + bytes([count * 4 & 127 | 128, count * 4 >> 7]) + values.tobytes()
    for data, want in ((tagged, values), (packed, values), (tagged + packed, np.concatenate((values, values)))):
        np.testing.assert_array_equal(read_datum(data, "item").float_data, want)


@pytest.mark.parametrize("data", [b"\x0a\x01a", b"\x22\x05abc", b"\x20\x01"])
def test_other_bytes_are_refused_by_name(data: bytes) -> None:
    with pytest.raises(WireError, match=r"^item 'k': byte \d"):
        read_datum(data, "item 'k'")
