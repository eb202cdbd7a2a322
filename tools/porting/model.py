"""A net as PyTorch code, an ONNX model or a program of torch.export, run beside the net."""

from __future__ import annotations

from contextlib import ExitStack

from ...golden import GoldenError
from ...golden.proof import load_model, prove
from ...prototxt import PrototxtError
from ...prototxt.export import model_files, params_of, write_model
from ...prototxt.files import whole_file
from ...prototxt.net import fold
from ..report import PortReport, model_report
from .errors import PortingError
from .porting import Porting


def port_model(porting: Porting) -> PortReport:
    """Write a net as a model, run that against the net, and give it its name."""
    target, net = porting.target, porting.build()
    found = net.load(porting.source, allow=porting.allow)
    scaled = porting.scaled(net, params_of(net))
    net.fill({(net.nodes[i].name, index): value for (i, index), value in scaled.items()})
    parts = fold(net.parts).parts if porting.fold else net.parts
    report = model_report(found, target, len(net.steps) - len(parts.steps))
    report.scaled = sorted({net.nodes[i].name for i, _ in scaled})
    with ExitStack() as stack:
        part, *others = [stack.enter_context(whole_file(file, porting.force)) for file in model_files(target)]
        model = write_model(part, net.graph.name, parts, net.inputs, net.outputs)
        report.params, report.notes = model.params, model.notes
        report.bytes = sum(file.stat().st_size for file in (part, *others))
        try:
            report.checks = prove(net, load_model(part))
        except (GoldenError, PrototxtError) as error:
            reason = str(error).replace(str(part), "the written file")
            raise PortingError(f"{target}: not kept: {reason}") from error
    return report
