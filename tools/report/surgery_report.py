"""The report of `recaffe surgery`."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...prototxt.surgery import Operation


@dataclass
class OperationReport:
    """What one operation did, and how it was checked."""

    operation: str
    changes: dict[str, list[str]] = field(default_factory=dict)
    """By layer."""
    kept: list[str] = field(default_factory=list)
    """Classes and anchors that go on."""
    untrained: dict[str, str] = field(default_factory=dict)
    """By layer, what no training has seen."""
    notes: list[str] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """A line for the operation and one for each thing to know."""
        out = [f"{self.operation}:"]
        out += [f"  {layer}: {'; '.join(what)}" for layer, what in self.changes.items()]
        out += [f"  kept: {line}" for line in self.kept]
        out += [f"  untrained: {layer}: {what}" for layer, what in self.untrained.items()]
        out += [f"  note: {line}" for line in self.notes]
        return out + [f"  check: {line}" for line in self.checks]


@dataclass
class SurgeryReport:
    """Two files from two files, step by step."""

    net: str
    source: str
    target_net: str
    target: str
    format: str
    params: int = 0
    steps: list[OperationReport] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)

    def text(self) -> str:
        """The steps, then the two files and how they were checked."""
        lines = [line for step in self.steps for line in step.lines()]
        lines.append(f"{self.target_net}, {self.target}: {self.format}, {self.params} params")
        lines += [f"  note: {line}" for line in self.notes] + [f"  check: {line}" for line in self.checks]
        return "\n".join(lines)


def step_of(name: str, operation: Operation, checks: list[str]) -> OperationReport:
    """The report of an operation."""
    return OperationReport(name, operation.changes, operation.kept, operation.untrained, operation.notes, checks)
