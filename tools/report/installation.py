"""What this installation runs on, what is missing, and how to get it."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, requires, version

import torch

from ...layers import native

BUILD = "with a C++ compiler at hand reinstall recaffe (in a checkout: python setup.py build_ext --inplace)"


def examine() -> dict[str, dict[str, str]]:
    """Every section of the report: lines by name."""
    extras = _requirements()
    needed = {name: _version(name) or "missing" for name in extras.pop("")}
    return {
        "versions": {"recaffe": version("recaffe"), "python": platform.python_version(), **needed},
        "machine": {
            "system": platform.platform(),
            "native kernels": _kernels(),
            "threads": f"{torch.get_num_threads()} of {os.cpu_count()} cores",
            "device": _device(),
        },
        "extras": {extra: _extra(extra, names) for extra, names in sorted(extras.items())},
    }


def installation_text(report: Mapping[str, Mapping[str, str]]) -> str:
    """The report, a line for each finding."""
    width = max(len(name) for section in report.values() for name in section)
    lines = []
    for title, section in report.items():
        lines += [title, *(f"  {name.ljust(width)}  {finding}" for name, finding in section.items())]
    return "\n".join(lines)


def _kernels() -> str:
    try:
        return "built" if native.available() else f"not built, plain torch does their work, slower; {BUILD}"
    except OSError as error:
        return f"cannot be loaded ({error}); {BUILD}"


def _device() -> str:
    if not torch.cuda.is_available():
        return "cpu"
    return f"cpu, cuda {torch.version.cuda}: " + ", ".join(
        torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())
    )


def _requirements() -> dict[str, list[str]]:
    """Packages by the extra that asks for them; "" for what is always needed, without the checkout's own dev."""
    found: dict[str, list[str]] = {}
    for line in requires("recaffe") or ():
        name, extra = re.findall(r"^([\w.-]+)[^;]*(?:; extra == ['\"](\w+)['\"])?$", line)[0]
        found.setdefault(extra, []).append(name)
    found.pop("dev", None)
    return found


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _extra(extra: str, names: Sequence[str]) -> str:
    """The versions of an extra's packages, or how to get them."""
    found = {name: _version(name) for name in names}
    if None in found.values():
        return f"not installed: pip install 'recaffe[{extra}]'"
    return ", ".join(f"{name} {number}" for name, number in found.items())
