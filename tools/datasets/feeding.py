"""What feeds a train net: minibatches without end, whose images are read ahead."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...layers import LayerError, RoIDataLayer, State, random_state, set_random_state
from ...prototxt.solving import Ranks, Solver
from ...prototxt.text import Config
from .errors import DataError
from .images import Floats, centred, read_pixels, resized, scale_to
from .minibatch import Blobs, draw_regions, roi_blobs, rpn_blobs
from .picture_order import Numbers, PictureOrder
from .roidb import Roidb, digest_of

_ALONE = Ranks()


class Minibatches:
    """A function that gives one minibatch after the other, for RoIDataLayer's `feed`; see `feed_solver`.

    All that is random is drawn from `rng`, in the originals' order and when they draw it: a permutation of the
    pictures when this is made and each time they run out; for each batch a scale for every picture, then its regions.
    `workers` threads read and resize the images of the next `ahead` batches, which changes none of it.

    TRAIN.USE_PREFETCH, a second process in the originals, means its other draws: pictures are shuffled once more, not
    grouped, and `rng` and a generator of the batches' own both begin with RNG_SEED.

    Of several `ranks` each gets its own batches, and draws for the others' without reading their images: hand in
    generators that stand at the same, and that nothing else draws from.
    """

    def __init__(
        self,
        roidb: Roidb,
        config: Config,
        rng: np.random.RandomState,
        workers: int = 2,
        ahead: int = 4,
        ranks: Ranks = _ALONE,
    ) -> None:
        if not roidb.entries:
            raise DataError("there is no picture to train on: none has an object, or regions that can be sampled")
        if config["TRAIN.BBOX_REG"] and not config["TRAIN.HAS_RPN"] and roidb.means is None:
            raise DataError("the regions have no box targets: see with_targets, or set TRAIN.BBOX_REG to False")
        self.roidb, self.config, self.rng, self.own, self.ranks = roidb, config, rng, rng, ranks
        count = config["TRAIN.IMS_PER_BATCH"]
        if config["TRAIN.HAS_RPN"] and count != 1:
            raise DataError(f"an RPN trains on one picture at a time: set TRAIN.IMS_PER_BATCH to 1, not {count}")
        self.order = PictureOrder(roidb.entries, count, config["TRAIN.ASPECT_GROUPING"], rng)
        if config["TRAIN.USE_PREFETCH"]:
            self.own = np.random.RandomState()
            self.order = PictureOrder(roidb.entries, count, False, rng)
            for generator in (rng, self.own):
                generator.seed(config["RNG_SEED"])
            self.order.rng = self.own
        self._ahead, self._pool = ahead, ThreadPoolExecutor(workers, "images") if workers else None
        self._coming: dict[int, Future[Floats]] = {}
        self._read_ahead()

    def __call__(self) -> Blobs:
        """The next minibatch, of several ranks this one's."""
        self._pass_over(self.ranks.rank)
        batch = self._next()
        self._pass_over(self.ranks.count - 1 - self.ranks.rank)
        self._read_ahead()
        return batch

    def _next(self) -> Blobs:
        numbers, sizes = self._drawn()
        config, entries = self.config, [self.roidb.entries[number] for number in numbers]
        pairs = [self._image(number, size) for number, size in zip(numbers, sizes, strict=True)]
        images, scales = [image for image, _ in pairs], [scale for _, scale in pairs]
        if config["TRAIN.HAS_RPN"]:
            return rpn_blobs(entries[0], images[0], scales[0])
        return roi_blobs(entries, images, scales, len(self.roidb.classes), config, self.own)

    def _pass_over(self, batches: int) -> None:
        """Draw what so many batches would take."""
        for _ in range(batches):
            numbers, _ = self._drawn()
            if not self.config["TRAIN.HAS_RPN"]:
                draw_regions([self.roidb.entries[number] for number in numbers], self.config, self.own)

    def _drawn(self) -> tuple[Numbers, list[int]]:
        """The next batch's pictures, and the size that each is to have."""
        numbers, sizes = self.order.next(), self.config["TRAIN.SCALES"]
        drawn = self.own.randint(0, high=len(sizes), size=len(numbers))
        return numbers, [sizes[size] for size in drawn]

    def place(self) -> State:
        """Which pictures come next, of which data they are, and where a generator is that is not the net's."""
        own = random_state(self.own) if self._keeps_own else {}
        return {**self.order.place(), **{f"own/{key}": part for key, part in own.items()}, "data": self._fingerprint}

    def return_to(self, place: State) -> None:
        """Go on from there; other data than it was taken of are refused."""
        if not np.array_equal(place["data"], self._fingerprint):
            raise LayerError("stood among other data: the pictures, their boxes or their order have changed since")
        if self._keeps_own:
            set_random_state(self.own, {key: place[f"own/{key}"] for key in random_state(self.own)})
        self.order.return_to(place)
        self._read_ahead()

    def close(self) -> None:
        """End the threads."""
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    @cached_property
    def _fingerprint(self) -> NDArray[np.uint8]:
        return np.frombuffer(digest_of(self.roidb), np.uint8)

    def _read_ahead(self) -> None:
        """Have the threads begin with what is known to come, and forget what is not."""
        if not self._pool:
            return
        rank, count = self.ranks.rank, self.ranks.count
        batches = self.order.ahead(self._ahead * count).reshape(-1, self.order.per_batch)  # (B*N,) -> (B, N)
        coming = batches[rank::count].ravel()
        for number in self._coming.keys() - set(coming.tolist()):
            self._coming.pop(number).cancel()
        for number in coming.tolist():
            if number not in self._coming:
                self._coming[number] = self._pool.submit(self._prepared, number)

    def _image(self, number: int, size: int) -> tuple[Floats, float]:
        """An entry's image for the net, and its scale."""
        coming = self._coming.pop(int(number), None)
        image = coming.result() if coming else self._prepared(number)
        scale = self._scale(number, size)
        return image if self._one_size else resized(image, scale), scale

    def _prepared(self, number: int) -> Floats:
        """An entry's image as far as it is known what becomes of it: with several scales it is not resized yet."""
        entry = self.roidb.entries[number]
        pixels = read_pixels(entry.image)
        if pixels.shape[:2] != (entry.height, entry.width):
            raise DataError(f"{entry.image}: has another size than when training began")
        image = centred(pixels, self.config["PIXEL_MEANS"], entry.flipped)
        return resized(image, self._scale(number, self.config["TRAIN.SCALES"][0])) if self._one_size else image

    def _scale(self, number: int, size: int) -> float:
        entry = self.roidb.entries[number]
        return scale_to(entry.height, entry.width, size, self.config["TRAIN.MAX_SIZE"])

    @property
    def _keeps_own(self) -> bool:
        return self.own is not self.rng or self.ranks.count > 1

    @property
    def _one_size(self) -> bool:
        return len(self.config["TRAIN.SCALES"]) == 1


def feed_solver(solver: Solver, roidb: Roidb, workers: int = 2) -> Minibatches:
    """Feed a solver's train net from a roidb; its snapshots keep the place among the pictures.

    The pictures are shuffled by the net's own generator, right now, as the originals do when they are handed the roidb.
    Several ranks, whose nets draw other anchors and RoIs each, have one and the same generator for the pictures.
    """
    layers = [step.layer for step in solver.net.steps if isinstance(step.layer, RoIDataLayer)]
    if len(layers) != 1:
        raise DataError(f"net {solver.net.graph.name!r} has {len(layers)} RoIDataLayers, and one is to be fed")
    layer, config = layers[0], solver.net.config
    targets = 4 * (2 if config["TRAIN.AGNOSTIC"] else len(roidb.classes))
    if layer.targets != targets:
        wanted, given = layer.targets // 4, targets // 4
        raise DataError(f"the net's data layer has num_classes {wanted}, the data have {given} with the background")
    measured = not config["TRAIN.BBOX_NORMALIZE_TARGETS_PRECOMPUTED"]
    if all(config[f"TRAIN.{key}"] for key in ("HAS_RPN", "BBOX_REG", "BBOX_NORMALIZE_TARGETS")) and measured:
        raise DataError(
            "box targets cannot be measured where an RPN proposes the regions while training: "
            "set TRAIN.BBOX_NORMALIZE_TARGETS_PRECOMPUTED to True (an RPN alone: TRAIN.BBOX_REG to False)"
        )
    alone = solver.ranks.count == 1
    rng = solver.net.rng if alone else np.random.RandomState(config["RNG_SEED"])
    batches = Minibatches(roidb, config, rng, workers, ranks=solver.ranks)
    layer.feed = batches
    solver.resumables["data"] = batches
    return batches
