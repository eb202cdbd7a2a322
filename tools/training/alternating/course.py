"""The course of an alternating training: step after step, each from where it stood."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ....prototxt import SolverParameter
from ....prototxt.files import whole_file
from ....prototxt.net import Allow, Net
from ....prototxt.solving import Solver, places_beside, weights_beside
from ....prototxt.text import Config, NetText, print_text
from ...datasets import digest_of, training_roidb, truth_roidb, write_proposals
from ...detection import NamedSet, Proposer, Proposing, Share, Store, Sweep
from ..errors import TrainingError
from ..run import Means, go_on, solver_into, start_from, states_of, train_through
from .mark import Mark, digest_of_file, digest_of_text
from .plan import PlannedStep
from .rpn_spread import rpn_spread
from .stage_files import StageFiles

_PROPOSED = "proposals.npz"


@dataclass(frozen=True)
class Course:
    """Goes through a plan: OUT/STEP/ gets each step's snapshots and logs, OUT/STEP_proposals/ what its RPN proposes.

    What is done is not done again, and a step that broke off goes on from its last snapshot; see Mark.
    """

    files: StageFiles
    pictures: NamedSet
    config: Config
    out: Path
    means: Means
    weights: Path | None = None
    force: bool = False

    def run(self) -> dict[str, Path]:
        """Do all steps; the weights of each."""
        data, config, trained = digest_of(truth_roidb(self.pictures)).hex(), self.config, dict[str, Path]()
        if self.files.plan.measures and config["TRAIN.RPN_NORMALIZE_TARGETS"]:
            config = config.with_flat(self._measured(config, data))
        for step in self.files.plan.steps:
            proposals = None
            if step.proposals:
                proposals = self._proposals(step.proposals, trained[step.proposals], config, data)
            weights = trained[step.weights] if step.weights else self.weights
            trained[step.name] = self._trained(step, weights, proposals, config.with_flat(step.config), data)
        return trained

    def results(self, trained: Mapping[str, Path]) -> list[Path]:
        """Copy what the plan leaves in the end to OUT."""
        copies = []
        for result in self.files.plan.results:
            source = trained[result.step]
            copies.append(self.out / f"{result.name}{source.name[source.name.index('.caffemodel') :]}")
            with whole_file(copies[-1], force=True) as part:
                shutil.copyfile(source, part)
        return copies

    def _measured(self, config: Config, data: str) -> dict[str, Any]:
        """The RPN's normalisation, as keys of the config."""
        first = self.files.plan.steps[0]
        config = config.with_flat(first.config)
        nets = print_text(self.files.nets[first.name].net) + print_text(self.files.rpn_test.net)
        inputs = {"net": digest_of_text(nets), "config": _settings(config, tested=True), "data": data}
        mark = Mark(self.out / "stage0_rpn_spread", inputs)
        path = mark.result(self.force)
        if path is None:
            print("the RPN's box targets are being measured", flush=True)
            roidb = training_roidb([self.pictures], config)
            means, stds = rpn_spread(self.files.nets[first.name], self.files.rpn_test, roidb, config)
            path = mark.folder / "spread.json"
            with whole_file(path, force=True) as part:
                keys = {"TRAIN.RPN_NORMALIZE_MEANS": means, "TRAIN.RPN_NORMALIZE_STDS": stds}
                part.write_text(json.dumps(keys, indent=1) + "\n", encoding="utf-8")
            mark.done(path)
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def _trained(
        self,
        step: PlannedStep,
        weights: Path | None,
        proposals: Path | None,
        config: Config,
        data: str,
    ) -> Path:
        """One step's weights."""
        solver, text = self.files.solvers[step.name], self.files.nets[step.name]
        inputs = {"net": digest_of_text(print_text(text.net)), "solver": _rules(solver)}
        inputs |= {"config": _settings(config), "data": data}
        inputs |= {"weights": digest_of_file(weights) if weights else ""}
        inputs |= {"proposals": digest_of_file(proposals)} if proposals else {}
        mark = Mark(self.out / step.name, inputs)
        if done := mark.result(self.force):
            print(f"{step.name}: is done ({done})", flush=True)
            return done
        print(f"{step.name}: {solver.max_iter:,} iterations", flush=True)
        own = SolverParameter()
        own.CopyFrom(solver)
        own.snapshot_after_train = True
        training = solver_into(mark.folder, own, config, self.files.names[step.name], self.means)
        roidb = training_roidb([self.pictures], config, [proposals] if proposals else ())
        start = partial(_begin, weights)
        if not train_through(training, roidb, mark.folder, start, self.means):
            raise TrainingError(
                f"{step.name}: stopped after iteration {training.iter}; the same command goes on from there"
            )
        return mark.done(_last_alone(own))

    def _proposals(self, step: str, weights: Path, config: Config, data: str) -> Path:
        """The regions that a step's RPN proposes in all pictures."""
        text, config = self.files.rpn_test, config.with_flat(self.files.plan.proposing)
        inputs = {"net": digest_of_text(print_text(text.net)), "config": _settings(config, tested=True)}
        mark = Mark(self.out / f"{step}_proposals", inputs | {"data": data, "weights": digest_of_file(weights)})
        if done := mark.result(self.force):
            return done
        net = _filled(text, weights, config).to(self.means.device)
        listed, store = self.pictures.pictures(), Store(mark.folder / "found")
        print(f"{step}: proposes in {len(listed):,} pictures", flush=True)
        Sweep(Proposing(Proposer(net), self.pictures)).run(listed, store, Share())
        rows = {picture.name: store.get(picture.name) for picture in listed}
        write_proposals(mark.folder / _PROPOSED, {name: (r[:, :4], r[:, 4]) for name, r in rows.items()}, force=True)
        shutil.rmtree(store.folder)
        return mark.done(mark.folder / _PROPOSED)


def _filled(text: NetText, weights: Path, config: Config) -> Net:
    """The RPN's test net; layers of the weights that are only carried along are passed over."""
    net = Net(text, config=config)
    net.load(weights, allow=Allow(unused=True))
    return net


def _begin(weights: Path | None, solver: Solver) -> None:
    """Go on from the last snapshot, else start from the weights, if there are any."""
    if states := states_of(solver.param):
        go_on(solver, states[max(states)])
    elif weights:
        start_from(solver, weights)


def _last_alone(solver: SolverParameter) -> Path:
    """The weights of the last snapshot, once the earlier ones are removed as the originals do."""
    states = states_of(solver)
    last = states.pop(max(states))
    for state in states.values():
        for file in (state, *_beside(state)):
            file.unlink(missing_ok=True)
    return _beside(last)[0]


def _beside(state: Path) -> tuple[Path, Path]:
    """A snapshot's weights and its places."""
    return weights_beside(state), places_beside(state)


def _rules(solver: SolverParameter) -> str:
    """A digest of a solver, wherever its net lies."""
    rules = SolverParameter()
    rules.CopyFrom(solver)
    for field in ("net", "train_net"):
        rules.ClearField(field)
    return digest_of_text(print_text(rules))


def _settings(config: Config, tested: bool = False) -> str:
    """A digest of a config; what TEST says counts for tested nets alone."""
    keys = sorted(config.keys())
    told = {key: config[key] for key in keys if tested or not key.startswith("TEST.")}
    return digest_of_text(json.dumps(told))
