"""A random net judged by every check."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Iterable
from dataclasses import dataclass

from recaffe.errors import RecaffeError

from .case import Case
from .checks import CHECKS, Trial
from .random_net import random_net

RAISED = "raised"


@dataclass(frozen=True)
class Failure:
    """What a check found, and how to see it again."""

    kind: str
    number: int
    check: str
    told: str
    case: Case | None = None

    @property
    def command(self) -> str:
        return f"make fuzz SEED={self.number} TYPE={self.kind}"


def judged(kind: str, number: int, checks: Iterable[str] = CHECKS) -> tuple[list[Failure], list[str]]:
    """What is wrong with a net, and what was drawn on the way and refused."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            sketch = random_net(kind, number)
        except Exception:
            return [Failure(kind, number, RAISED, _last_lines())], []
        case = sketch.case()
        return [Failure(kind, number, check, told, case) for check, told in findings(case, checks)], sketch.refused


def findings(case: Case, checks: Iterable[str] = CHECKS) -> list[tuple[str, str]]:
    """What the checks tell of a case; one that raises is told as such."""
    try:
        trial = Trial(case)
    except Exception:
        return [(RAISED, _last_lines())]
    found = []
    for name in checks:
        if name == RAISED:
            continue
        try:
            found += [(name, told) for told in CHECKS[name](trial)]
        except Exception:
            found.append((name, _last_lines()))
    return found


def _last_lines() -> str:
    return " | ".join(line.strip() for line in traceback.format_exc(limit=-1).splitlines()[1:])


def is_refused(case: Case) -> bool:
    """Whether the net is refused in words."""
    try:
        case.net()
    except RecaffeError:
        return True
    except Exception:
        return False
    return False
