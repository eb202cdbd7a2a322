"""Surgery on a net and its weights: operations one by one, checked after each, and both files written at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from ...golden import GoldenError
from ...golden.proof import compare_changed, compare_params, needs_data
from ...prototxt import NetParameter, PrototxtError
from ...prototxt.export import params_of, write_weights
from ...prototxt.files import Dialect, brought_to_disk, whole_file
from ...prototxt.net import Allow, Net
from ...prototxt.surgery import Operation, printed
from ...prototxt.text import read_net
from ..report import OperationReport, step_of
from .errors import PortingError
from .size import too_large

Operate = Callable[[Operation], None]
Build = Callable[[NetParameter], Net]


def operate(
    net: Net, message: NetParameter, operations: Iterable[tuple[str, Operate]], build: Build, run_nets: bool
) -> tuple[Net, NetParameter, list[OperationReport]]:
    """Do operations, each on what the one before it left; the nets before and after each are compared."""
    reports = []
    for name, change in operations:
        operation = Operation(net, message)
        change(operation)
        changed = operation.finish(build)
        reports.append(step_of(name, operation, _checks(operation, changed, run_nets)))
        net, message = changed, operation.message
    return net, message, reports


def _checks(operation: Operation, changed: Net, run_nets: bool) -> list[str]:
    """Run the net before and after an operation, or tell why not."""
    net = operation.net
    if reason := needs_data(net) or needs_data(changed):
        return [f"not run: {reason}"]
    if not run_nets and (reason := too_large(net)):
        return [reason]
    return compare_changed(net, changed, operation.promise)


def write_operated(
    net: Net,
    message: NetParameter,
    build: Build,
    files: tuple[str | Path, str | Path],
    dialect: Dialect,
    *,
    force: bool = False,
    allow: Allow = Allow(),
) -> None:
    """Write the prototxt and the weights aside, read them back as a user would, and give them their names."""
    layers = params_of(net)
    with whole_file(files[0], force) as text, whole_file(files[1], force) as weights:
        text.write_text(printed(message))
        with brought_to_disk(text):
            write_weights(weights, net, layers, dialect)
        try:
            back = build(read_net(text).net)
            back.load(weights, allow=Allow(nonfinite=allow.nonfinite))
            compare_params(layers, params_of(back))
        except (GoldenError, PrototxtError) as error:
            reason = str(error).replace(str(weights), "the written file").replace(str(text), "the written prototxt")
            raise PortingError(f"{files[1]}: not kept: {reason}") from error
