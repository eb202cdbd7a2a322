"""`recaffe bench`: what the design promises, measured side by side in one run; ratios matter, times do not."""

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from math import prod
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from ..layers.anchor_target import AnchorTargetLayer
from ..layers.proposal import ProposalLayer
from ..prototxt.net import Net
from ..prototxt.text import read_net
from ..prototxt.zoo.vgg16 import faster_rcnn_test
from . import plain_numpy

NAME = "bench"
HELP = "measure speed against a matrix product, plain NumPy and a read of the file"

Array = npt.NDArray[np.float32]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--threads", type=int, default=2, help="threads for torch (default 2)")
    parser.add_argument("--only", choices=sorted(_BENCHES), action="append", help="run only these")


def run(args: argparse.Namespace) -> int:
    """Run the benchmarks."""
    torch.set_num_threads(args.threads)
    print(f"torch {torch.__version__}, {args.threads} threads")
    for name in args.only or _BENCHES:
        print(f"\n{name}")
        _BENCHES[name]()
    return 0


def best(action: Callable[[], object], times: int = 5) -> float:
    """The shortest of several runs after one to warm up, in seconds."""
    action()
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        spent.append(time.perf_counter() - start)
    return min(spent)


def forward() -> None:
    """VGG16's test net against the rate of a large matrix product."""
    net = Net(read_net(faster_rcnn_test()), seed=1)
    net.fill()
    rng = np.random.RandomState(5)
    data = rng.standard_normal((1, 3, 600, 1000)).astype(np.float32) * 50
    blobs = {"data": data, "im_info": np.array([[600, 1000, 1.6]], np.float32)}
    a, b = torch.randn(3072, 3072), torch.randn(3072, 3072)
    net(blobs)
    # Interleaved, so that a slow moment of the machine hits both alike.
    pairs = [(best(lambda: a @ b, 2), best(lambda: net(blobs), 1)) for _ in range(4)]
    product, whole = (min(column) for column in zip(*pairs, strict=True))
    rois = net.blobs["cls_prob"].shape[0]
    work = _multiply_adds(rois)
    rate, peak = work / whole, 3072**3 / product
    print(f"  matrix product 3072³      {peak / 1e9:7.1f} G multiply-adds/s")
    print(f"  VGG16 at 600×1000, {rois} RoIs {rate / 1e9:7.1f} G multiply-adds/s ({work / 1e9:.0f} G in {whole:.2f} s)")
    print(f"  ratio {rate / peak:.2f} (wanted: at least 0.85)")


def _multiply_adds(rois: int) -> int:
    """Multiply-adds of VGG16's test net at 600×1000 with so many RoIs."""
    net = Net(read_net(faster_rcnn_test()), shapes={"data": (1, 3, 600, 1000)})
    parts = net.parts
    work = 0
    for node, layer in zip(parts.nodes, parts.layers, strict=True):
        count = layer.multiply_adds(*(net.blob_shapes[blob] for blob in node.bottoms))
        # At setup the RoIs are one.
        work += count * rois if node.type == "InnerProduct" else count
    return work


def proposals() -> None:
    """The TRAIN-phase proposal layer against the algorithm in plain NumPy."""
    scores, deltas, info = plain_numpy.scene(38, 63)
    layer = ProposalLayer(feat_stride=16, phase="TRAIN")
    layer.setup(scores.shape, deltas.shape, info.shape, num_tops=1)
    bottoms = [torch.from_numpy(b) for b in (scores, deltas, info)]
    ours = best(lambda: layer(*bottoms), 10)
    plain = best(lambda: plain_numpy.proposals(scores, deltas, info, 16, 12000, 2000, 0.7, 16), 2)
    print(f"  21,546 anchors, 12,000 -> 2,000: {ours * 1e3:.1f} ms (wanted: at most 30 ms)")
    print(f"  plain NumPy {plain * 1e3:.0f} ms: {plain / ours:.0f} times as long")


def anchor_targets() -> None:
    """The anchor target layer against the algorithm in plain NumPy."""
    scores, _, info = plain_numpy.scene(38, 63)
    truths = plain_numpy.truths(9)
    layer = AnchorTargetLayer(feat_stride=16, rng=np.random.RandomState(3))
    data = np.zeros((1, 3, 600, 1000), np.float32)
    layer.setup(scores.shape, truths.shape, info.shape, data.shape, num_tops=4)
    bottoms = [torch.from_numpy(b) for b in (scores, truths, info, data)]
    ours = best(lambda: layer(*bottoms), 10)
    plain = best(lambda: plain_numpy.anchor_overlaps(38, 63, 16, truths), 2)
    print(f"  9 objects: {ours * 1e3:.1f} ms (wanted: at most 5 ms)")
    print(f"  the overlaps alone in plain NumPy {plain * 1e3:.1f} ms: {plain / ours:.1f} times as long")


def caffemodel() -> None:
    """Loading VGG16's weights against reading the file once; in processes of their own, to see their memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vgg16.caffemodel"
        write_caffemodel(path)
        size = path.stat().st_size
        results = {what: [_child(what, path) for _ in range(3)] for what in ("bytes", "net")}
    read, load = (min(seconds for seconds, _ in runs) for runs in results.values())
    base, peak = (min(memory for _, memory in runs) for runs in results.values())
    print(f"  {size / 2**20:.0f} MiB: reading the bytes {read:.2f} s, into a net {load:.2f} s")
    print(f"  ratio {load / read:.2f} (wanted: at most 1.3)")
    print(f"  peak memory {peak / size:.2f} of the file, reading the bytes {base / size:.2f} (wanted: at most 1.2)")


def write_caffemodel(path: Path) -> None:
    """A file of VGG16's size and layout, by the wire: a layer is field 100, its name 1, type 2, blobs 7."""
    net = Net(read_net(faster_rcnn_test()))
    with path.open("wb") as file:
        for node, layer in zip(net.nodes, net.parts.layers, strict=True):
            if not layer.param_shapes:
                continue
            head = _field(1, node.name.encode()) + _field(2, node.type.encode())
            frames = []
            for shape in layer.param_shapes:
                dims = _field(7, _field(1, b"".join(map(_varint, shape))))
                size = prod(shape) * 4
                frame = dims + _varint(5 << 3 | 2) + _varint(size)
                frames.append((_varint(7 << 3 | 2) + _varint(len(frame) + size) + frame, size))
            length = len(head) + sum(len(frame) + size for frame, size in frames)
            file.write(_varint(100 << 3 | 2) + _varint(length) + head)
            for frame, size in frames:
                file.write(frame)
                file.write(np.full(size // 4, 0.01, np.float32).tobytes())


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _child(what: str, path: Path) -> tuple[float, float]:
    """Seconds and bytes that one way of reading takes."""
    out = subprocess.run(
        [sys.executable, "-m", __name__, what, str(path)], check=True, capture_output=True, text=True
    ).stdout.split()
    return float(out[0]), float(out[1])


def _measure(what: str, path: Path) -> None:
    text = read_net(faster_rcnn_test())
    net = Net(text)
    gc.collect()
    before = _peak_memory()
    start = time.perf_counter()
    if what == "bytes":
        content = path.read_bytes()
        assert content
    else:
        net.load(path)
        for param in net.parameters():
            param.sum()
    seconds = time.perf_counter() - start
    print(seconds, _peak_memory() - before)


def _peak_memory() -> int:
    """The most bytes this process ever held; getrusage would count its parent's, too."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


_BENCHES: dict[str, Callable[[], None]] = {
    "forward": forward,
    "proposals": proposals,
    "anchor targets": anchor_targets,
    "caffemodel": caffemodel,
}

if __name__ == "__main__":
    _measure(sys.argv[1], Path(sys.argv[2]))
