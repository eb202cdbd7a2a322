"""The files of an alternating training: a folder of the originals', or one like it made from the zoo."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ....prototxt import SolverParameter
from ....prototxt.files import whole_file
from ....prototxt.solving import train_text
from ....prototxt.text import NetText, print_text, read_net, read_solver
from ....prototxt.zoo import DetectionTask, is_rfcn, make_net, make_solver
from ..errors import TrainingError
from .plan import FASTER_RCNN, RFCN, RPN_TEST, Plan

_THOUSANDS = re.compile(r"solver(\d+)k(\d+)k")
_HEAD_STEPS = 80_000
"""The stepsize of R-FCN on VOC, which is trained half as long again; all else by a third."""


@dataclass(frozen=True)
class StageFiles:
    """The plan that a folder's files are for, each step's solver and its net, and the RPN's test net."""

    plan: Plan
    names: Mapping[str, str]
    solvers: Mapping[str, SolverParameter]
    nets: Mapping[str, NetText]
    rpn_test: NetText


def read_stages(folder: Path, iters: tuple[int, ...] = ()) -> StageFiles:
    """Find the files and read them all; `iters` stand for the solvers' max_iter, one for each step or one for all."""
    if not folder.is_dir():
        raise TrainingError(f"{folder}: is neither a folder of solvers nor a model of the zoo (recaffe zoo lists them)")
    plan = RFCN if any(folder.glob("stage3_rpn*solver*")) else FASTER_RCNN
    if len(iters) not in (0, 1, len(plan.steps)):
        told = f"iters= has {len(iters)} numbers: give one for all, or one for each of {_listed(plan)}"
        raise TrainingError(told, choices=("iters",))
    lengths = dict(zip((step.name for step in plan.steps), iters * len(plan.steps), strict=False))
    paths = {step.name: _solver_path(folder, step.name, plan) for step in plan.steps}
    solvers = {name: _solver(path, lengths.get(name)) for name, path in paths.items()}
    nets = {name: train_text(solver, Path()) for name, solver in solvers.items()}
    return StageFiles(plan, {name: str(p) for name, p in paths.items()}, solvers, nets, read_net(folder / RPN_TEST))


def _listed(plan: Plan) -> str:
    return ", ".join(step.name for step in plan.steps)


def _solver_path(folder: Path, step: str, plan: Plan) -> Path:
    found = sorted(folder.glob(f"{step}*solver*"))
    if len(found) != 1:
        names = f" ({', '.join(path.name for path in found)})" if found else ""
        raise TrainingError(
            f"{folder}: has {len(found)} files {step}*solver*{names}, and one is needed for each of {_listed(plan)}"
        )
    return found[0]


def _solver(path: Path, iters: int | None) -> SolverParameter:
    """A solver that knows how long to train, and whose net lies where it says, or beside it as a bare name does.

    The originals say how long on their command line and, in thousands, in the file's name.
    """
    solver = read_solver(path)
    named = _THOUSANDS.search(path.name)
    solver.max_iter = iters or solver.max_iter or (1000 * int(named[2]) if named else 0)
    if not solver.max_iter:
        raise TrainingError(f"{path}: has no max_iter: say with iters= how long to train", choices=("iters",))
    for name in ("net", "train_net"):
        net = Path(getattr(solver, name))
        beside = path.parent / net.name
        if solver.HasField(name) and beside.exists() and (net.name == str(net) or not net.exists()):
            setattr(solver, name, str(beside))
    return solver


def write_stages(folder: Path, model: str, task: DetectionTask, dataset: str, force: bool = False) -> None:
    """Write a model's files as the originals name theirs; those that are there and differ are refused."""
    plan = RFCN if is_rfcn(model) else FASTER_RCNN
    texts = {}
    for step in plan.steps:
        scheme, net = step.name.replace("_", "-"), f"{step.name}_train.pt"
        solver = make_solver(model, scheme, dataset, net)
        most = solver.stepsize * 3 // 2 if solver.stepsize == _HEAD_STEPS else solver.stepsize * 4 // 3
        texts[f"{step.name}_solver{solver.stepsize // 1000}k{most // 1000}k.pt"] = print_text(solver)
        texts[net] = print_text(make_net(model, scheme, "TRAIN", task))
    for file, step_name in ((RPN_TEST, "stage1_rpn"), *((result.net, result.step) for result in plan.results)):
        texts[file] = print_text(make_net(model, step_name.replace("_", "-"), "TEST", task))
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in texts.items():
        path = folder / file
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            with whole_file(path, force) as part:
                part.write_text(text, encoding="utf-8")
