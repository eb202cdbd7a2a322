"""What a fixture's net is given and gives besides its blobs: arrays in memory, files, weights in files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import h5py
import numpy.typing as npt

from ..layers import HDF5OutputLayer, MemoryDataLayer, registered
from ..prototxt.net import Allow, Net, located
from ..prototxt.text import NetText, read_net
from .compare import BlobResult, compare_blob
from .errors import GoldenError
from .fixture import Fixture

Array = npt.NDArray[Any]


def hand_in(net: Net, arrays: Mapping[str, Array]) -> None:
    """Give arrays to the MemoryData layers by the names of their tops."""
    rest = set(arrays)
    for step in net.steps:
        node, layer = step.node, step.layer
        if isinstance(layer, MemoryDataLayer) and set(node.tops) <= rest:
            with located(node):
                layer.set_input_arrays(*(arrays[top] for top in node.tops))
            rest -= set(node.tops)
    if rest:
        raise GoldenError(f"has input/{min(rest)}, but no MemoryData layer of its net gives {', '.join(sorted(rest))}")


def without_data(text: NetText, fed: Mapping[str, Array]) -> NetText:
    """The net with an Input in place of each layer that would read files to give what is handed in."""
    types = registered()
    for layer in text.net.layer:
        if layer.type in types and types[layer.type].reads_files and layer.top and set(layer.top) <= set(fed):
            layer.type = "Input"
            for top in layer.top:
                layer.input_param.shape.add(dim=fed[top].shape)
    return text


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
            params = net.layer(layer).params if layer in net.layers else []
            have = params[index] if index < len(params) else None
            yield compare_blob(f"{file.name}/{layer}/{index}", want, have, 0.0, exact=True)


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
