"""What is kept of a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recaffe.prototxt.text.read import read_net
from recaffe.tools.detection.errors import DetectionError
from recaffe.tools.detection.sets.store import Store, key_of

ROWS = np.arange(12, dtype=np.float32).reshape(2, 6)


def test_rows_come_back(tmp_path: Path) -> None:
    store = Store(tmp_path / "found")
    assert not store.has("000001")
    store.put("000001", ROWS)
    store.put("000001", ROWS)
    assert store.has("000001")
    assert np.array_equal(store.get("000001"), ROWS)
    assert list(store.folder.iterdir()) == [store.folder / "000001.npy"]
    store.wait_for(["000001"])


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put("a", ROWS)
    content = store.path("a").read_bytes()
    for damaged in (content[:-5], b"", b"nothing at all", content.replace(b"{'descr'", b"((((((((", 1)):
        store.path("a").write_bytes(damaged)
        with pytest.raises(DetectionError, match=r"a\.npy: is damaged .* delete it and run again"):
            store.get("a")


def test_a_key_is_of_all_that_decides(tmp_path: Path) -> None:
    weights, net = tmp_path / "a.pt", read_net('name: "a"\nlayer { name: "i" type: "Silence" }')
    other = read_net('name: "b"\nlayer { name: "i" type: "Silence" }')
    picture = tmp_path / "a.jpg"
    picture.write_bytes(b"a")
    weights.write_bytes(b"1")
    settings = {"thresh": 0.05}
    keys = [
        key_of(net, weights, settings, []),
        key_of(net, weights, {"thresh": 0.06}, []),
        key_of(other, weights, {}, []),
    ]
    keys.append(key_of(net, weights, settings, [picture]))
    picture.write_bytes(b"ab")
    keys.append(key_of(net, weights, settings, [picture]))
    weights.write_bytes(b"2")
    keys.append(key_of(net, weights, settings, []))
    assert len(set(keys)) == 6
    weights.write_bytes(b"1")
    assert key_of(net, weights, settings, []) == keys[0]
    with pytest.raises(FileNotFoundError):
        key_of(net, weights, settings, [tmp_path / "none.jpg"])
