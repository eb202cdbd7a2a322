"""The part of `recaffe bench` that trains VGG16 end to end, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

from ...layers import RoIDataLayer
from ...prototxt.net import Net
from ...prototxt.solving import Solver
from ...prototxt.text import Config, NetText, print_text, read_net
from ...prototxt.zoo import DATASETS, make_net, make_solver
from ..datasets import SHAPES, Blobs, Entry, Minibatches, Roidb, draw_scene
from ..training import feed_detector, keep_memory
from .weights import peak_memory

_HEIGHT, _WIDTH = 600, 1000
_PICTURES, _ITERATIONS = 8, 4
_SIDE = 3072


def training() -> None:
    """An iteration at 600×1000, from the picture's file to the update, against its work at a matrix product's rate."""
    command = [sys.executable, "-m", __name__, str(torch.get_num_threads())]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    product, whole, half, waited, loaded, peak = map(float, out)
    work, rate = _multiply_adds(), _SIDE**3 / product
    print(f"  matrix product {_SIDE}³      {rate / 1e9:7.1f} G multiply-adds/s")
    print(f"  an iteration of VGG16     {work / whole / 1e9:7.1f} G multiply-adds/s ({work / 1e9:.0f} G)")
    print(f"  {whole:.1f} s, {whole * rate / work:.2f} times its bound (wanted: at most 1.3)")
    print(f"  in bfloat16 {half:.1f} s: {whole / half:.2f} times as fast")
    print(f"  peak memory {peak / 1e9:.1f} GB (wanted: below 6.2 GB)")
    print(f"  waiting for data {waited / whole:.4f} of it; one thread prepares {whole / loaded:.0f} pictures meanwhile")


def _multiply_adds() -> int:
    """Each layer's once forward, once for its params if they learn, and once for its bottom if a diff flows there."""
    net = Net(_text(), "TRAIN", shapes={"data": (1, 3, _HEIGHT, _WIDTH)})
    work = 0
    for step in net.steps:
        count = step.layer.multiply_adds(*(net.blob_shapes[blob] for blob in step.node.bottoms))
        if step.node.type == "InnerProduct":
            count *= net.config["TRAIN.BATCH_SIZE"]  # at setup the RoIs are one
        work += count * (1 + step.needs.backward * (any(step.needs.params) + any(step.needs.bottoms)))
    return work


def _text() -> NetText:
    return read_net(print_text(make_net("vgg16", "end2end", "TRAIN", DATASETS["voc"])))


def _roidb(folder: Path) -> Roidb:
    """Pictures of drawn scenes as files, with their boxes."""
    entries = []
    for number in range(_PICTURES):
        scene, path = draw_scene(3, number), folder / f"{number}.jpg"
        cv2.imwrite(str(path), cv2.resize(scene.pixels, (_WIDTH, _HEIGHT)))
        zoom = np.array([_WIDTH / scene.pixels.shape[1], _HEIGHT / scene.pixels.shape[0]] * 2)
        boxes = (np.array([shape.box for shape in scene.shapes]) * zoom).astype(np.uint16)
        classes = np.array([1 + SHAPES.index(shape.name) for shape in scene.shapes], np.int32)
        ones, areas = np.ones(len(boxes), np.float32), np.zeros(len(boxes), np.float32)
        entries.append(Entry(path.stem, path, _WIDTH, _HEIGHT, boxes, classes, ones, classes.astype(np.int64), areas))
    return Roidb(("__background__", *(f"class{i}" for i in range(1, 21))), tuple(entries))


def _solver(config: Config, folder: Path) -> Solver:
    """One picture an iteration, and params in N(0, 0.01²): the trunk's have no fillers."""
    param = make_solver("vgg16", "end2end", train_net=str(folder / "train.prototxt"))
    param.iter_size, param.display = 1, 0
    (folder / "train.prototxt").write_text(print_text(_text().net))
    solver = Solver(param, config=config)
    generator = torch.Generator().manual_seed(1)
    for tensor in solver.nets.params:
        tensor.data.normal_(0, 0.01, generator=generator)
    return solver


def _measure(folder: Path) -> None:
    """Print seconds of a product, an iteration, one in bfloat16, its wait for data, a picture's reading; most bytes."""
    settings = {"HAS_RPN": True, "IMS_PER_BATCH": 1, "BBOX_NORMALIZE_TARGETS_PRECOMPUTED": True, "BG_THRESH_LO": 0.0}
    config = Config.default("frcnn").with_flat({f"TRAIN.{key}": value for key, value in settings.items()})
    keep_memory()
    roidb, solver = _roidb(folder), _solver(config, folder)
    batches = feed_detector(solver, roidb)
    waits: list[float] = []

    def timed() -> Blobs:
        start = time.perf_counter()
        batch = batches()
        waits.append(time.perf_counter() - start)
        return batch

    next(step.layer for step in solver.net.steps if isinstance(step.layer, RoIDataLayer)).feed = timed
    a, b = torch.randn(_SIDE, _SIDE), torch.randn(_SIDE, _SIDE)
    products, iterations = [], []
    for _ in range(_ITERATIONS):
        # Interleaved, so that a slow moment of the machine hits both alike.
        products += [_seconds(lambda: a @ b) for _ in range(3)]
        iterations.append(_seconds(lambda: solver.step(1)))
    peak = peak_memory()
    solver.precision = torch.autocast("cpu", torch.bfloat16)
    half = min(_seconds(lambda: solver.step(1)) for _ in range(_ITERATIONS // 2))
    batches.close()
    alone = Minibatches(roidb, config, np.random.RandomState(3), workers=0)
    loaded = min(_seconds(alone) for _ in range(_PICTURES))
    best = int(np.argmin(iterations))
    print(min(products), iterations[best], half, waits[best], loaded, peak)


def _seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


if __name__ == "__main__":
    torch.set_num_threads(int(sys.argv[1]))
    with tempfile.TemporaryDirectory() as name:
        _measure(Path(name))
