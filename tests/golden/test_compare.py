"""Comparison: what is equal, what is not, and what is said of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from recaffe.golden.compare import BlobResult, compare_blob, largest_magnitude

NAN, INF = float("nan"), float("inf")
FLT_MAX = float(np.finfo(np.float32).max)


def blob(*values: float) -> npt.NDArray[np.float32]:
    return np.array(values, np.float32)


def compare(want: npt.NDArray[np.float32], have: npt.NDArray[np.float32], *, exact: bool = False) -> BlobResult:
    return compare_blob("top/x", want, have, 1e-3, exact=exact)


def test_a_passing_blob_tells_how_far_off_it_is() -> None:
    result = compare_blob("param_diff/conv/3x3/0", blob(1, -4, 2), torch.tensor([1.0, -4.0, 2.002]), 1e-3)
    assert (result.ok, result.kind, result.problem, result.size, result.different) == (True, "param_diff", "", 3, 0)
    assert result.difference == pytest.approx(2e-3, rel=1e-3)
    assert result.relative == pytest.approx(5e-4, rel=1e-3)
    assert result.first is None


def test_a_missing_blob() -> None:
    result = compare_blob("top/x", blob(1), None, 1)
    assert (result.ok, result.problem, str(result)) == (False, "missing", "top/x: missing")


def test_shape_comes_before_dtype_and_dtype_before_values() -> None:
    want = np.zeros((2, 3), np.float32)
    result = compare_blob("top/x", want, np.ones((3, 2)), 1)
    assert (result.ok, result.problem, str(result)) == (False, "shape", "top/x: shape 2×3 wanted, have 3×2")
    result = compare_blob("top/x", want, np.ones((2, 3)), 1)
    assert (result.ok, result.problem, str(result)) == (False, "dtype", "top/x: dtype float32 wanted, have float64")
    assert compare_blob("top/x", want, np.ones((2, 3), np.float32), 1).problem == "values"


def test_a_scalar_is_no_vector_of_one() -> None:
    assert compare(np.float32(2).reshape(()), blob(2)).problem == "shape"
    assert compare(np.float32(2).reshape(()), np.float32(2).reshape(())).ok


def test_what_a_bad_blob_says() -> None:
    want = np.arange(1500, dtype=np.float32).reshape(300, 5)
    have = want.copy()
    have[4, 2] += 2
    have[4, 3] -= 3
    have[299, 4] += 1.4
    result = compare_blob("top/rois", want, have, 1e-3)
    assert (result.different, result.size, result.first, result.difference) == (2, 1500, (4, 2), 3)
    assert str(result) == (
        "top/rois: 2 of 1500 values differ, first at [4, 2]: want 22, have 24 "
        "(max difference 3, 0.002 of the largest magnitude, allowed 0.001)"
    )
    assert compare_blob("top/rois", want, have, 1e-3, exact=True).different == 3
    assert str(compare_blob("top/rois", want, have, 1e-3, exact=True)).endswith("magnitude, must be equal)")


@pytest.mark.parametrize(("off", "ok"), [(0.99e-3, True), (1.01e-3, False)])
def test_the_largest_magnitude_of_the_wanted_blob_counts(off: float, ok: bool) -> None:
    assert compare(blob(-8, 1, 0), blob(-8, 1 + 8 * off, 0)).ok == ok
    assert compare(blob(-8, 1, 0), blob(-8, 1, -8 * off)).ok == ok


def test_a_large_value_of_ours_allows_nothing() -> None:
    assert compare(blob(1, 1), blob(1e6, 1.1)).different == 2


@pytest.mark.parametrize(
    ("want", "have", "ok"),
    [
        (NAN, NAN, True),
        (INF, INF, True),
        (-INF, -INF, True),
        (-FLT_MAX, -FLT_MAX, True),
        (NAN, 0, False),
        (0, NAN, False),
        (NAN, INF, False),
        (INF, -INF, False),
        (INF, FLT_MAX, False),
        (0, -INF, False),
        (-FLT_MAX, FLT_MAX, False),
        (-FLT_MAX, 0, False),
        (0, -FLT_MAX, False),
    ],
)
@pytest.mark.parametrize("exact", [False, True])
def test_special_values(want: float, have: float, ok: bool, exact: bool) -> None:
    result = compare(blob(5, want, 2), blob(5, have, 2), exact=exact)
    assert (result.ok, result.first) == (ok, None if ok else (1,))


@pytest.mark.parametrize("special", [NAN, INF, -INF, -FLT_MAX])
def test_special_values_do_not_hide_differences(special: float) -> None:
    result = compare(blob(special, 2, 1), blob(special, 2, 1.01))
    assert (result.ok, result.first) == (False, (2,))
    assert result.difference == pytest.approx(0.01, rel=1e-3)
    assert result.relative == pytest.approx(0.005, rel=1e-3)


def test_an_infinity_is_a_line_too() -> None:
    assert str(compare(blob(2, 1), blob(2, INF))) == (
        "top/x: 1 of 2 values differ, first at [1]: want 1, have inf "
        "(max difference inf, inf of the largest magnitude, allowed 0.001)"
    )


def test_a_zero_blob_allows_nothing_but_zeros() -> None:
    assert compare(blob(0, -0.0), blob(-0.0, 0)).ok
    result = compare(blob(0, 0), blob(0, 1e-30))
    assert (result.ok, result.first, result.relative) == (False, (1,), INF)


@pytest.mark.parametrize("shape", [(0,), (0, 5), (3, 0, 7)])
def test_empty_blobs_are_equal(shape: tuple[int, ...]) -> None:
    result = compare(np.empty(shape, np.float32), np.empty(shape, np.float32))
    assert (result.ok, result.size, result.difference) == (True, 0, 0)


def test_unsigned_integers_do_not_wrap() -> None:
    result = compare_blob("top/x", np.array([3, 200], np.uint8), np.array([4, 200], np.uint8), 0, exact=True)
    assert (result.difference, result.first) == (1, (0,))


def test_the_tensor_may_need_a_gradient_and_any_layout() -> None:
    have = torch.arange(24.0).view(2, 3, 4).transpose(0, 2).requires_grad_()
    want = np.arange(24, dtype=np.float32).reshape(2, 3, 4).transpose(2, 1, 0)
    assert compare_blob("top/x", want, have, 0).ok
    assert compare_blob("top/x", want[::-1], have, 0).first == (0, 0, 0)


@pytest.mark.parametrize(
    ("values", "largest"),
    [([], 0), ([0, 0], 0), ([-3, 2], 3), ([NAN, 2], 2), ([INF, -7, 2], 7), ([-FLT_MAX, 1], 1), ([NAN, -FLT_MAX], 0)],
)
def test_largest_magnitude(values: list[float], largest: float) -> None:
    assert largest_magnitude(blob(*values)) == largest
