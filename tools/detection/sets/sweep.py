"""A net over all pictures of a set: read ahead, in batches, a share for each process."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

from tqdm import tqdm

from ...datasets import Picture
from ..errors import DetectionError
from ..net_input import NetInput
from .store import Store
from .tasks import Task

_READERS, _AHEAD = 2, 4


@dataclass(frozen=True)
class Share:
    """Which of several processes this one is; torchrun says it by RANK and WORLD_SIZE."""

    rank: int = 0
    world: int = 1
    local_rank: int = 0

    @classmethod
    def of_environment(cls) -> Share:
        """This process's share."""
        words = [os.environ.get(name, default) for name, default in (("RANK", "0"), ("WORLD_SIZE", "1"))]
        words.append(os.environ.get("LOCAL_RANK", words[0]))
        if not all(word.isdecimal() for word in words) or not int(words[0]) < int(words[1]):
            raise DetectionError(
                f"RANK {words[0]!r} of WORLD_SIZE {words[1]!r}: torchrun sets these, else leave them out"
            )
        return cls(*map(int, words))


@dataclass(frozen=True)
class Sweep:
    """How pictures go through a net: prepared in threads ahead of it, answered `batch` of them at once."""

    task: Task
    batch: int = 1

    def run(self, pictures: Sequence[Picture], store: Store, share: Share) -> float:
        """Do this process's share of what is not done, in seconds a picture; the first one waits for the others."""
        todo = [picture for picture in pictures[share.rank :: share.world] if not store.has(picture.name)]
        started = time.perf_counter()
        bar = tqdm(total=len(todo), unit="picture", disable=None if share.rank == 0 else True)  # None: on terminals
        with bar, closing(self._ahead(todo)) as groups:
            for group, inputs in groups:
                for picture, rows in zip(group, self.task.answer(inputs), strict=True):
                    store.put(picture.name, rows)
                    bar.update()
        seconds = time.perf_counter() - started
        if share.rank == 0:
            store.wait_for([picture.name for picture in pictures])
        return seconds / len(todo) if todo else 0.0

    def _ahead(self, pictures: Sequence[Picture]) -> Generator[tuple[Sequence[Picture], list[NetInput]]]:
        """Groups of pictures and their inputs, while the next ones are being read."""
        pool = ThreadPoolExecutor(_READERS, "pictures")
        coming: deque[Future[NetInput]] = deque()
        rest = iter(pictures)
        try:
            for start in range(0, len(pictures), self.batch):
                group = pictures[start : start + self.batch]
                while len(coming) < self.batch + _AHEAD and (picture := next(rest, None)):
                    coming.append(pool.submit(self.task.prepare, picture))
                yield group, [coming.popleft().result() for _ in group]
        finally:
            pool.shutdown(cancel_futures=True)
