"""The fixture format: every key has its place, every other key is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recaffe.golden.errors import GoldenError
from recaffe.golden.fixture import Fixture
from recaffe.golden.recipe import make_image, make_params

ONE = np.float32([[1, 2, 3]])


def whole() -> dict[str, Any]:
    """A file with every kind of key."""
    return {
        "prototxt": 'name: "n"',
        "phase": "TRAIN",
        "variant": "rfcn",
        "cfg": '{"TRAIN.BATCH_SIZE": -1}',
        "rng_seed": 7,
        "bottom/data": ONE,
        "param/rpn_conv/3x3/0": ONE + 1,
        "param/rpn_conv/3x3/10": ONE + 2,
        "top/rpn/output": ONE + 3,
        "top_diff/rpn/output": ONE + 4,
        "diff/data": ONE + 5,
        "param_diff/rpn_conv/3x3/0": ONE + 6,
        "post/bn1/2": ONE + 7,
        "version/rpn/output/0": ONE + 9,
        "rng/rpn-data": np.ones(627),
        "meta": '{"run": "abc"}',
        "trace/solver": "base_lr: 1",
        "trace/param/rpn_conv/3x3/0": ONE + 8,
    }


def write(path: Path, keys: dict[str, Any]) -> Path:
    np.savez(path, **keys)
    return path


def sums(arrays: dict[Any, Any]) -> dict[Any, float]:
    return {key: float(value.sum()) for key, value in arrays.items()}


def test_every_key_has_its_place(tmp_path: Path) -> None:
    fixture = Fixture.load(write(tmp_path / "a.npz", whole()))
    assert (fixture.prototxt, fixture.phase, fixture.variant, fixture.rng_seed) == ('name: "n"', "TRAIN", "rfcn", 7)
    assert fixture.config == {"TRAIN.BATCH_SIZE": -1}
    assert sums(fixture.bottoms) == {"data": 6}
    assert sums(fixture.params) == {("rpn_conv/3x3", 0): 9, ("rpn_conv/3x3", 10): 12}
    assert sums(fixture.tops) == {"rpn/output": 15}
    assert sums(fixture.top_diffs) == {"rpn/output": 18}
    assert sums(fixture.diffs) == {"data": 21}
    assert sums(fixture.param_diffs) == {("rpn_conv/3x3", 0): 24}
    assert sums(fixture.post) == {("bn1", 2): 27}
    assert sums(fixture.versions) == {("rpn/output", 0): 33}
    assert sums(fixture.rng) == {"rpn-data": 627}
    assert fixture.meta == {"run": "abc"}
    assert list(fixture.trace) == ["solver", "param/rpn_conv/3x3/0"]
    assert fixture.has_backward


def test_the_least_that_a_fixture_has(tmp_path: Path) -> None:
    fixture = Fixture.load(write(tmp_path / "a.npz", {"prototxt": "", "phase": "TEST"}))
    assert (fixture.variant, fixture.config, fixture.rng_seed, fixture.tops) == ("frcnn", {}, None, {})
    assert not fixture.has_backward


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    first = Fixture.load(write(tmp_path / "a.npz", whole()))
    first.save(tmp_path / "b.npz")
    second = Fixture.load(tmp_path / "b.npz")
    for item in dataclasses.fields(Fixture):
        one, two = getattr(first, item.name), getattr(second, item.name)
        if item.name == "path":
            continue
        np.testing.assert_equal(two, one)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz", "b.npz"]


def seeded() -> dict[str, Any]:
    listing = '[["conv", "Convolution", [[4, 3, 5, 2], [4]]]]'
    keys = {"seed": 3, "head_seed": 5, "params": listing, "data_hw": np.array([20, 30])}
    return {"prototxt": "", "phase": "TEST", "bottom/im_info": ONE, **keys}


def test_seeds_stand_for_params_and_image(tmp_path: Path) -> None:
    fixture = Fixture.load(write(tmp_path / "a.npz", seeded()))
    np.testing.assert_equal(fixture.params, make_params(seeded()["params"], 3, 5))
    np.testing.assert_equal(fixture.bottoms["data"], make_image(3, 20, 30))
    assert set(fixture.bottoms) == {"data", "im_info"}


def forwards() -> dict[str, Any]:
    """A file of three forwards."""
    keys = {f"top/{k}/{blob}": ONE + k for k in (2, 0, 1) for blob in ("data", "rpn/label")}
    return {"prototxt": "", "phase": "TEST", "seed": 11, "input/data": ONE, **keys}


def test_one_forward_after_another(tmp_path: Path) -> None:
    path = write(tmp_path / "a.npz", forwards())
    Fixture.load(path).save(tmp_path / "b.npz")
    for fixture in (Fixture.load(path), Fixture.load(tmp_path / "b.npz")):
        assert (fixture.seed, fixture.rng_seed, fixture.tops) == (11, None, {})
        assert sums(fixture.inputs) == {"data": 6}
        assert [sums(tops) for tops in fixture.forwards] == [{"data": n, "rpn/label": n} for n in (6, 9, 12)]


@pytest.mark.parametrize("key", ["top/data", "top/4/data", "top/a/data", "top/3/"])
def test_numbers_that_are_part_of_a_name(tmp_path: Path, key: str) -> None:
    fixture = Fixture.load(write(tmp_path / "a.npz", {**forwards(), key: ONE}))
    assert fixture.forwards == []
    assert len(fixture.tops) == 7


@pytest.mark.parametrize("key", ["seed", "head_seed", "params", "data_hw"])
def test_a_seeded_file_needs_all_its_keys(tmp_path: Path, key: str) -> None:
    keys = seeded()
    del keys[key]
    with pytest.raises(GoldenError, match=rf"a\.npz: lacks the key '{key}'"):
        Fixture.load(write(tmp_path / "a.npz", keys))


@pytest.mark.parametrize("key", ["tops/x", "inputs/x", "extra", "top/", "trace/", "bottom"])
def test_an_unknown_key_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(GoldenError) as error:
        Fixture.load(write(tmp_path / "a.npz", {**whole(), key: ONE}))
    assert str(error.value) == f"{tmp_path}/a.npz: has the key {key!r}, which no fixture has: nothing would check it"


@pytest.mark.parametrize("key", ["prototxt", "phase"])
def test_a_missing_key_is_named(tmp_path: Path, key: str) -> None:
    keys = whole()
    del keys[key]
    with pytest.raises(GoldenError, match=rf"lacks the key '{key}': not a fixture, or not a whole one$"):
        Fixture.load(write(tmp_path / "a.npz", keys))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("phase", "train", "key 'phase' is 'train', not one of TRAIN, TEST"),
        ("variant", "ssd", "key 'variant' is 'ssd', not one of frcnn, rfcn"),
        ("prototxt", 3, "key 'prototxt' should be one text"),
        ("prototxt", np.array(["a", "b"]), "key 'prototxt' should be one text"),
        ("cfg", "{", "key 'cfg' is not JSON: "),
        ("meta", "{", "key 'meta' is not JSON: "),
        ("cfg", "[1]", "key 'cfg' should be a JSON object"),
        ("rng_seed", 1.5, "key 'rng_seed' should be 1 integer(s)"),
        ("rng_seed", np.array([1, 2]), "key 'rng_seed' should be 1 integer(s)"),
        ("param/conv", ONE, "key 'param/conv' should end in a layer's name and the index of its param"),
        ("param/conv/x", ONE, "key 'param/conv/x' should end in a layer's name and the index of its param"),
        ("post//0", ONE, "key 'post//0' should end in a layer's name and the index of its param"),
        ("rng/x", ONE, "key 'rng/x' should be a generator's state, 627 numbers"),
        ("version/x", ONE, "key 'version/x' should end in a blob's name and a number from 0"),
    ],
)
def test_a_value_of_the_wrong_kind(tmp_path: Path, key: str, value: Any, message: str) -> None:
    with pytest.raises(GoldenError) as error:
        Fixture.load(write(tmp_path / "a.npz", {**whole(), key: value}))
    assert str(error.value).startswith(f"{tmp_path}/a.npz: {message}")
    assert "\n" not in str(error.value)
