"""The part of `recaffe bench` that reads and writes VGG16's weights, each way in a process of its own."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from ...prototxt.export import params_of, write_weights
from ...prototxt.files import DIALECTS
from ...prototxt.net import Net
from ...prototxt.text import print_text, read_net
from ...prototxt.zoo import make_net
from ..porting import Porting, port_weights

_TIMES = 3
_OPENCV = """
import sys, time, cv2
start = time.perf_counter()
cv2.dnn.readNetFromCaffe(sys.argv[1], sys.argv[2])
print(time.perf_counter() - start, 0, cv2.__version__)
"""
_NET, _WEIGHTS, _COPY, _PORTED = "vgg16.prototxt", "vgg16.caffemodel", "copy.caffemodel", "vgg16.safetensors"


def reading(opencv: str | None) -> None:
    """Weights into a net against reading the file once, and against OpenCV where a Python that has it is named."""
    with _vgg16() as folder:
        size = (folder / _WEIGHTS).stat().st_size
        read, base = _best("bytes", folder)
        load, peak = _best("net", folder)
        print(f"  {size / 2**20:.0f} MiB: reading the bytes {read:.2f} s, into a net {load:.2f} s")
        print(f"  ratio {load / read:.2f} (wanted: at most 1.3)")
        print(f"  peak memory {peak / size:.2f} of the file, reading the bytes {base / size:.2f} (wanted: at most 1.2)")
        if opencv:
            command = [opencv, "-c", _OPENCV, str(folder / _NET), str(folder / _WEIGHTS)]
            seconds, version = min((float(out[0]), out[2]) for out in (_output(command) for _ in range(_TIMES)))
            print(f"  OpenCV {version}'s readNetFromCaffe {seconds:.2f} s: {seconds / load:.0f} times as long")


def porting() -> None:
    """Weights into a .safetensors, compared and on the disk, against copying the file there."""
    with _vgg16() as folder:
        size = (folder / _WEIGHTS).stat().st_size
        copy, _ = _best("copy", folder)
        port, peak = _best("port", folder)
        print(f"  {size / 2**20:.0f} MiB: copying the file {copy:.2f} s, to .safetensors {port:.2f} s")
        print(f"  ratio {port / copy:.2f} (wanted: at most 2.5)")
        print(f"  peak memory {peak / size:.2f} of the file (wanted: at most 1.2)")


@contextmanager
def _vgg16() -> Iterator[Path]:
    """A folder with VGG16's Faster R-CNN and weights as Caffe would have written them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = print_text(make_net("vgg16"))
        (folder / _NET).write_text(text)
        net = Net(read_net(text))
        value = torch.tensor(0.01)
        places = {(i, k): s for i, step in enumerate(net.steps) for k, s in enumerate(step.layer.param_shapes)}
        layers = params_of(net, {place: value.expand(shape) for place, shape in places.items()})
        write_weights(folder / _WEIGHTS, net, layers, DIALECTS["fast-rcnn"])
        yield folder


def _best(what: str, folder: Path) -> tuple[float, float]:
    """The least seconds and bytes of several runs of one way."""
    runs = [_output([sys.executable, "-m", __name__, what, str(folder)]) for _ in range(_TIMES)]
    return min(float(out[0]) for out in runs), min(float(out[1]) for out in runs)


def _output(command: list[str]) -> list[str]:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def _measure(action: Callable[[], object]) -> None:
    gc.collect()
    before, start = peak_memory(), time.perf_counter()
    action()
    print(time.perf_counter() - start, peak_memory() - before)


def peak_memory() -> int:
    """The most bytes this process ever held; getrusage would count its parent's, too."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def _copy(folder: Path) -> None:
    (folder / _COPY).unlink(missing_ok=True)
    shutil.copyfile(folder / _WEIGHTS, folder / _COPY)
    with open(folder / _COPY, "rb") as copied:
        os.fsync(copied.fileno())


def _port(folder: Path) -> None:
    (folder / _PORTED).unlink(missing_ok=True)
    port_weights(Porting(lambda: Net(read_net(folder / _NET)), str(folder / _WEIGHTS), folder / _PORTED))


if __name__ == "__main__":
    what, place = sys.argv[1], Path(sys.argv[2])
    built = Net(read_net(place / _NET))
    _measure(
        {
            "bytes": (place / _WEIGHTS).read_bytes,
            "net": lambda: built.load(place / _WEIGHTS),  # it looks at every value, for NaN
            "copy": lambda: _copy(place),
            "port": lambda: _port(place),
        }[what]
    )
