"""A solver's snapshots: Caffe's two files and one of ours, and the way back."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from ...layers import times
from ..caffe_pb2 import SolverParameter
from ..export import params_of, write_weights
from ..files import (
    CAFFEMODEL,
    DIALECTS,
    SOLVERSTATE,
    Dialect,
    DialectError,
    LayerParams,
    LazyBlob,
    SolverState,
    read_solverstate,
    whole_file,
    write_solverstate,
)
from ..net import Net, Param
from .policies import RateState, SolverError
from .resume import Resumable, write_places
from .updates import Updates


@dataclass(frozen=True)
class Snapshot:
    """The files of one snapshot. Caffe resumes from the first two; the third makes it exact here."""

    iter: int
    weights: Path
    state: Path
    places: Path


def write_snapshot(
    solver: SolverParameter,
    folder: Path,
    net: Net,
    layers: Sequence[LayerParams],
    standing: RateState,
    updates: Updates,
    resumables: Mapping[str, Resumable],
) -> Snapshot:
    """Write these layers of the net as PREFIX_iter_N.caffemodel, and .resume.npz and .solverstate, each whole.

    In HDF5 the first and the last end in .h5.

    A .caffemodel is BVLC's, or the first fork's that knows all of the net's layers and fields.
    The state comes last, and an older one of that name goes first: where it is, all of its snapshot is.
    """
    suffix = ".h5" if solver.snapshot_format == SolverParameter.HDF5 else ""
    base = f"{solver.snapshot_prefix}_iter_{standing.iter}"
    learned_net = f"{base}{CAFFEMODEL.suffix}{suffix}"
    state = folder / f"{base}{SOLVERSTATE.suffix}{suffix}"
    done = Snapshot(standing.iter, folder / learned_net, state, places_beside(state))
    done.state.unlink(missing_ok=True)
    with whole_file(done.weights, force=True) as part:
        write_weights(part, net, layers, DIALECTS["bvlc"] if suffix else dialect_of(net))
    with whole_file(done.places, force=True) as part:
        write_places(part, resumables)
    with whole_file(done.state, force=True) as part:
        saved = state_of(str(state), learned_net, standing, updates)
        write_solverstate(part, saved, plateau=solver.lr_policy == "plateau")
    return done


def state_of(path: str, learned_net: str, standing: RateState, updates: Updates) -> SolverState:
    """What Caffe keeps of a solver."""
    history = (
        LazyBlob(f"{path}: history {i}", tuple(values.shape), "float32", values.cpu)
        for i, values in enumerate(updates.histories)
    )
    rate = standing.current_step, standing.minimum_loss, standing.iter_last_event
    return SolverState(path, standing.iter, learned_net, *rate, tuple(history))


def dialect_of(net: Net) -> Dialect:
    """The Caffe that a net is written for: the first that can hold it."""
    refusals, layers = [], params_of(net)
    for dialect in DIALECTS.values():
        try:
            for layer in layers:
                dialect.encode(layer.message, layer.where)
        except DialectError as error:
            refusals.append(str(error))
        else:
            return dialect
    raise SolverError(f"no Caffe of {', '.join(DIALECTS)} knows the net (say snapshot_format: HDF5): {refusals[0]}")


def places_beside(state: Path) -> Path:
    """Where the places of a state are kept."""
    return state.with_name(f"{state.name.partition(SOLVERSTATE.suffix)[0]}.resume.npz")


def weights_beside(state: Path) -> Path:
    """Where the weights are that were written with a state."""
    stem, _, suffix = state.name.partition(SOLVERSTATE.suffix)
    return state.with_name(f"{stem}{CAFFEMODEL.suffix}{suffix}")


def weights_of(state: SolverState) -> Path:
    """The weights that belong to a state: beside it, where Caffe wrote both, else where it says."""
    if not state.learned_net:
        raise SolverError(f"{state.path}: does not say which weights belong to it: name them")
    named = Path(state.learned_net)
    beside = Path(state.path).parent / named.name
    if not beside.exists() and not named.exists():
        raise SolverError(f"{state.path}: its weights {named} are neither beside it nor there")
    return beside if beside.exists() else named


def name_after(solver: SolverParameter, path: Path, folder: Path) -> None:
    """Name snapshots after the solver's file, where it names no snapshot_prefix, or a folder."""
    if not solver.HasField("snapshot_prefix"):
        solver.snapshot_prefix = str(path.with_suffix(""))
    elif Path(folder, solver.snapshot_prefix).is_dir():
        solver.snapshot_prefix = str(Path(solver.snapshot_prefix, path.stem))


def check_snapshots(solver: SolverParameter, folder: Path, net: Net) -> None:
    """Refuse what snapshots cannot be written of or to, before hours of training end in it."""
    if not solver.HasField("snapshot_prefix"):
        raise SolverError(
            "has no snapshot_prefix for its snapshots (snapshot: 0 and snapshot_after_train: false: none)"
        )
    place = (folder / f"{solver.snapshot_prefix}_").parent
    if not place.is_dir() or not os.access(place, os.W_OK):
        raise SolverError(f"has the snapshot_prefix {solver.snapshot_prefix!r}, but {place} is no folder to write into")
    if solver.snapshot_format == SolverParameter.BINARYPROTO:
        dialect_of(net)


def check_history(state: SolverState, updates: Updates, params: Sequence[Param]) -> None:
    """Refuse the state of another net or of another type of solver."""
    if len(state.history) != len(updates.histories):
        raise SolverError(
            f"{state.path}: has {len(state.history)} history blob(s), {updates.solver.type} needs "
            f"{len(updates.histories)} for {len(params)} param(s): the state of another net or type of solver"
        )
    for i, (blob, history) in enumerate(zip(state.history, updates.histories, strict=True)):
        if not blob.fits(tuple(history.shape)):
            param = params[i % len(params)]
            raise SolverError(
                f"{blob.where} is {times(blob.shape)}, param {param.places[0][1]} of layer {param.layers[0]!r} is "
                f"{times(history.shape)}: the state of another net"
            )


def take_state(
    path: str | os.PathLike[str], weights: str | os.PathLike[str] | None, net: Net, updates: Updates
) -> RateState:
    """Load a net's weights, those given or the state's own, and the histories; gives how far that solver had come."""
    saved = read_solverstate(path)
    check_history(saved, updates, net.param_list)
    net.load(weights_of(saved) if weights is None else weights)
    take_history(saved, updates)
    return RateState(saved.iter, saved.current_step, saved.minimum_loss, saved.iter_last_event)


@torch.no_grad()
def take_history(state: SolverState, updates: Updates) -> None:
    """Fill the histories."""
    for blob, history in zip(state.history, updates.histories, strict=True):
        history.copy_(blob.tensor().view(history.shape))
