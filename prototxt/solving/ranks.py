"""Training one net in many processes, as Caffe trains it on many GPUs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TypeVar, cast

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

from ...layers import State
from ..net import Array, Net
from .policies import SolverError
from .requests import Request
from .resume import Resumable, Taken

T = TypeVar("T")
_PATIENCE = timedelta(hours=1)
"""How long the others wait for a rank; rank 0 tests meanwhile."""
_GIVEN = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
_ORDER = (Request.NONE, Request.SNAPSHOT, Request.STOP)


class OthersFailedError(SolverError):
    """Another rank failed before this one, and has said why."""


@dataclass(frozen=True)
class Ranks:
    """The processes, ranks 0 to count - 1, that train a net together; `joined` finds them.

    Each rank has the whole net. Of the minibatches each takes the next in turn, rank R the (R + 1)th of every `count`:
    in one iteration they are those that one process with iter_size times `count` would take. Diffs are averaged over
    the ranks, then each rank makes the same update. clip_gradients is held against that mean, as in Caffe; of iter_size
    it is the sum. A BatchNorm sees its own rank's minibatch, and what it has gathered is rank 0's in a snapshot.
    Anchors, RoIs and dropout are drawn by generators that begin with the seed plus the rank.

    Every rank must make the same calls in the same order; rank 0 alone tests, reports and writes.
    """

    rank: int = 0
    count: int = 1

    def mean(self, value: float) -> float:
        """The mean of all ranks' values, for each of them."""
        return float(self._reduced(value, dist.ReduceOp.SUM) / self.count)

    def agreed(self, *requests: Request) -> Request:
        """The weightiest of all ranks' requests, for each of them: to stop, then a snapshot."""
        weight = max(map(_ORDER.index, requests))
        return _ORDER[int(self._reduced(weight, dist.ReduceOp.MAX))]

    def gathered(self, resumables: Mapping[str, Resumable]) -> dict[str, Resumable]:
        """On rank 0 what all ranks' snapshot is to hold: its own places, of the others' what differs, and their count.

        Those of rank N are under `rank N/NAME`.
        """
        if self.count == 1:
            return dict(resumables)
        mine = {name: one.place() for name, one in resumables.items()}
        found: list[Mapping[str, State]] | None = [{}] * self.count if self.rank == 0 else None
        dist.gather_object(mine, found)
        others = {
            f"rank {rank}/{name}": Taken(_differing(place, mine[name]))
            for rank, places in enumerate(found or ())
            for name, place in places.items()
        }
        return {**resumables, **others, "ranks": Taken({"count": np.array(self.count)})}

    def once(self, work: Callable[[], T]) -> T:
        """What this work gives, which rank 0 does while the others wait."""
        if self.count == 1:
            return work()
        done = [work() if self.rank == 0 else None]
        dist.broadcast_object_list(done)
        return cast(T, done[0])

    def _reduced(self, value: float, operation: dist.ReduceOp.RedOpType) -> float:
        if self.count == 1:
            return value
        number = torch.tensor(value, dtype=torch.float64)
        dist.all_reduce(number, operation)
        return number.item()


class AveragedForward:
    """A net's forward, whose backward averages the params' diffs over the ranks while it goes on.

    When this is made, rank 0's params become everyone's.
    """

    def __init__(self, net: Net, params: Sequence[nn.Parameter]) -> None:
        self._forward = _Forward(net, params)
        # A head without RoIs gives no diffs, so that DDP must look for params without.
        self._ddp = DistributedDataParallel(self._forward, find_unused_parameters=True, gradient_as_bucket_view=True)

    def __call__(self, blobs: Mapping[str, Array], keep: Sequence[str], last: bool) -> dict[str, Tensor]:
        """The outputs; the diffs add up in this process until the forward that is the `last` before an update."""
        with nullcontext() if last else self._ddp.no_sync():
            self._ddp(blobs, keep)
        return self._forward.outputs


class _Forward(nn.Module):
    """What DDP wraps: the params, and a forward to the loss."""

    def __init__(self, net: Net, params: Sequence[nn.Parameter]) -> None:
        super().__init__()
        self.params = nn.ParameterList(params)
        # DDP complains where it looks for params without diffs and there is none.
        self.idle = nn.Parameter(torch.zeros((), device=params[0].device))
        self.run, self.loss = net.__call__, partial(getattr, net, "loss")
        self.outputs: dict[str, Tensor] = {}

    def forward(self, blobs: Mapping[str, Array], keep: Sequence[str]) -> Tensor:
        self.outputs = self.run(blobs, keep=keep)
        loss: Tensor = self.loss()
        return loss


@contextmanager
def joined() -> Iterator[Ranks]:
    """The ranks that `torchrun` started, as long as the body runs; without it, this process alone.

    Of the ranks that fail, for one reason or another, the first raises its error, the rest OthersFailedError.
    """
    count = int(os.environ["WORLD_SIZE"]) if all(name in os.environ for name in _GIVEN) else 1
    if count == 1:
        yield Ranks()
        return
    failures, rank, count = _started()
    try:
        yield Ranks(rank, count)
    except Exception as error:
        raise _told_once(error, failures, f"rank {rank} of {count}") from error
    finally:
        dist.destroy_process_group()


def _started() -> tuple[Callable[[], int], int, int]:
    """Meet the others: a function that counts the ranks that have failed, this one with them; the rank, their count."""
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() and dist.is_nccl_available() else "gloo"
    try:
        kept, rank, count = next(iter(rendezvous("env://", timeout=_PATIENCE)))
        # torchrun may keep the store when it starts the ranks again, with what the last ones left in it.
        store = PrefixStore(f"start {os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)} of {count}", kept)
        dist.init_process_group(backend, store=store, rank=rank, world_size=count, timeout=_PATIENCE)
    except RuntimeError as error:
        address = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
        raise SolverError(f"the other ranks cannot be met at {address}: {error}") from None
    return partial(store.add, "failed", 1), rank, count


def _told_once(error: Exception, failures: Callable[[], int], name: str) -> Exception:
    """The error as this rank is to raise it: its own only if no other rank has failed yet."""
    try:
        first = failures() == 1
    except dist.DistError:
        first = False  # the store went away with the rank that keeps it
    if not first:
        return OthersFailedError(f"{name}: ends because another rank failed")
    if isinstance(error, dist.DistError) or (isinstance(error, RuntimeError) and "by peer" in str(error)):
        return SolverError(f"{name}: lost another rank, which was killed or did not answer: {error}")
    return error


def _differing(place: State, other: State) -> State:
    return {key: array for key, array in place.items() if not np.array_equal(array, other[key])}
