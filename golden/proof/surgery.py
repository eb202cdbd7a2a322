"""A net and what surgery made of it: what must be the same is run and compared."""

from __future__ import annotations

import numpy as np

from ...layers import LayerError
from ...prototxt import PrototxtError
from ...prototxt.files import Floats
from ...prototxt.net import Net
from ...prototxt.surgery import Promise, Rows, reached
from ..compare import BlobResult, compare_blob, largest_magnitude
from ..errors import GoldenError
from .trial import own_memory, run_blobs, trial_inputs

_CHANNELS = 1e-5
"""How far kept channels may move: products of other sizes round in another order."""
_DECIDING = "ProposalLayer"
"""Numbers that are the same to rounding can lead it to other boxes."""


def compare_changed(want: Net, have: Net, promise: Promise) -> list[str]:
    """Run both on the same inputs and refuse the first blob that breaks the promise; returns what was compared."""
    own_memory(want)
    own_memory(have)
    told = []
    for name, feed in trial_inputs(want).items():
        try:
            before = run_blobs(want, feed)
            after = run_blobs(have, {key: value for key, value in feed.items() if key in have.inputs})
        except (PrototxtError, LayerError) as error:
            told.append(f"not run on a {name} input: {error}")
            continue
        told += [f"{line} on a {name} input" for line in _compare(want, before, after, promise, name)]
    return told


def _compare(net: Net, before: dict[str, Floats], after: dict[str, Floats], promise: Promise, name: str) -> list[str]:
    moved, told = set(promise.moved), []
    same: set[str] = set()
    steep = _steepness(net, before)
    for node in (node for node in net.nodes if node.type != "Split"):
        for blob in (top for top in node.tops if top not in moved | same and top in before):
            limit = promise.limit * steep.get(blob, 1.0)
            result = compare_blob(f"top/{blob}", before[blob], after.get(blob), limit, exact=not limit)
            same |= {blob} if result.ok else set()
            if not result.ok and promise.limit and node.message.python_param.layer == _DECIDING:
                moved |= reached(net, {node.name})
                told.append(f"{blob} other by rounding, so nothing behind it was compared")
            elif not result.ok:
                raise GoldenError(f"on a {name} input {result}")
    for blob, rows in ((blob, rows) for blob, rows in promise.kept.items() if blob in before):
        result, count = _compare_rows(blob, before[blob], after[blob], rows)
        if not result.ok:
            raise GoldenError(f"on a {name} input, in the channels that are kept, {result}")
        told += [f"{count} channels of {blob} the same"] if count else []
    for blob in (blob for blob in net.outputs if promise.measured and blob in moved and blob in before):
        moved_by = compare_blob(f"top/{blob}", before[blob], after.get(blob), 0.0).relative
        told.append(f"{blob} moved by {moved_by:.2g} of its largest magnitude")
    within = f" within {promise.limit:g}" if promise.limit else ""
    return [f"{len(same)} blobs the same{within}", *told]


def _steepness(net: Net, before: dict[str, Floats]) -> dict[str, float]:
    """By how much a probability may move more than others: a softmax passes on what its scores moved by, in full."""
    steep: dict[str, float] = {}
    for node in net.nodes:
        if node.type == "Softmax":
            steep |= dict.fromkeys(node.tops, max(1.0, largest_magnitude(before[node.bottoms[0]])))
        elif node.type in ("Split", "Reshape") and node.bottoms[0] in steep:
            steep |= dict.fromkeys(node.tops, steep[node.bottoms[0]])
    return steep


def _compare_rows(blob: str, before: Floats, after: Floats, rows: Rows) -> tuple[BlobResult, int]:
    """Compare the channels that go on, and count them."""
    places = [i for i, row in enumerate(rows) if row is not None]
    sources = [row for row in rows if row is not None]
    want, have = (np.ascontiguousarray(values[:, at]) for values, at in ((before, sources), (after, places)))
    return compare_blob(f"top/{blob}", want, have, _CHANNELS), len(places)
