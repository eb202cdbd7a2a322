"""A net broken on one side or the other, and the causes that are found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from recaffe.golden.diagnosis.divergence import Options, compare_fixture
from recaffe.golden.diagnosis.findings import Cause
from recaffe.golden.fixture.fixture import Fixture, ParamName
from recaffe.golden.subject import Subject
from recaffe.prototxt.files.read import read_weights
from recaffe.prototxt.text.read import read_net

FIXTURES = Path(__file__).parents[4] / "golden" / "fixtures"
Array = npt.NDArray[Any]
Broken = Callable[..., dict[str, Cause]]


@pytest.fixture
def broken(tmp_path: Path) -> Broken:
    """Compare a fixture with another prototxt, other weights, another config, or other golden blobs."""

    def compare(
        fixture: str | Fixture,
        text: tuple[str, str] | None = None,
        weights: Mapping[ParamName, Array] | None = None,
        golden: Mapping[str, Array] | None = None,
        config: Mapping[str, Any] | None = None,
        until: str = "",
    ) -> dict[str, Cause]:
        known = Fixture.load(FIXTURES / f"{fixture}.npz") if isinstance(fixture, str) else fixture
        subject = Subject(until=until)
        if text is not None:
            assert text[0] in known.prototxt
            subject = replace(subject, text=read_net(known.prototxt.replace(*text)))
        if weights is not None:
            params = known.params | dict(weights)
            np.savez(tmp_path / "w.npz", **{f"param/{name}/{i}": value for (name, i), value in params.items()})
            subject = replace(subject, weights=read_weights(tmp_path / "w.npz"))
        if config is not None:
            subject = replace(subject, configure=lambda base: base.with_flat(config))
        known = replace(known, tops=known.tops | dict(golden or {}))
        comparison = compare_fixture(subject, known, Options(chain=False))
        assert not comparison.ok
        return {cause.rule: cause for cause in comparison.blames[0].causes}

    return compare
