"""Files beside a fixture: those that its net writes, and weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py

from ..layers import HDF5OutputLayer
from ..prototxt.net import Allow, Net
from ..prototxt.text import read_net
from .compare import BlobResult, compare_blob
from .errors import GoldenError
from .fixture import Fixture
from .subject import param_of


@contextmanager
def files_apart(net: Net) -> Iterator[dict[Path, Path]]:
    """Keep HDF5Output layers from writing over golden files: where each should write -> where it does for now."""
    apart = {}
    with TemporaryDirectory() as folder:
        for index, step in enumerate(net.steps):
            if isinstance(step.layer, HDF5OutputLayer):
                apart[step.layer.path] = step.layer.path = Path(folder, f"{index}.h5")
        yield apart


def compare_weights(fixture: Fixture) -> Iterator[BlobResult]:
    """Load the .caffemodel and the .caffemodel.h5 beside a fixture of params alone; what they lack has its filler."""
    files = [fixture.path.with_suffix(suffix) for suffix in (".caffemodel", ".caffemodel.h5")]
    present = [file for file in files if file.exists()]
    if not present:
        raise GoldenError(f"{fixture.path}: expects params and no blobs, but no {files[0].name}(.h5) beside it has any")
    for file in present:
        net = Net(read_net(fixture.prototxt), fixture.phase)
        net.load(file, allow=Allow(missing=True, unused=True, nonfinite=True))
        for (layer, index), want in fixture.params.items():
            yield compare_blob(f"{file.name}/{layer}/{index}", want, param_of(net, layer, index), 0.0, exact=True)


def compare_files(golden: Path, ours: Path, tolerance: float) -> Iterator[BlobResult]:
    """Compare two HDF5 files, data set by data set."""
    try:
        wanted = h5py.File(golden)
    except OSError as error:
        raise GoldenError(f"{golden}: is no HDF5 file, or a damaged one: {error}") from None
    with wanted, h5py.File(ours) as written:
        for name in wanted:
            have = written[name][()] if name in written else None
            yield compare_blob(f"file/{golden.name}/{name}", wanted[name][()], have, tolerance)
