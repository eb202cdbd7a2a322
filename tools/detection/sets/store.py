"""What was found so far, a file for each picture, so that a run that broke off can go on and several can share one."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np

from ....prototxt.files import whole_file
from ....prototxt.text import NetText, print_text
from ...datasets import Floats
from ..errors import DetectionError


def key_of(text: NetText, weights: str | Path, settings: Mapping[str, Any], pictures: Iterable[Path]) -> str:
    """A short digest of a net, the bytes of its weights, and whatever else decides what is found.

    Of pictures it takes place, length and time of the last change; one that is missing is refused.
    """
    with open(weights, "rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(print_text(text.net).encode())
    digest.update(json.dumps(settings, sort_keys=True).encode())
    for path in pictures:
        status = path.stat()
        digest.update(f"{path.resolve()} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Store:
    """A folder of arrays by picture; results of another net, other weights or options have another folder."""

    folder: Path

    def path(self, name: str) -> Path:
        """A picture's file."""
        return self.folder / f"{name}.npy"

    def has(self, name: str) -> bool:
        """Whether the picture is done."""
        return self.path(name).exists()

    def put(self, name: str, rows: Floats) -> None:
        """Keep a picture's rows, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with whole_file(self.path(name), force=True) as part:
            np.save(part, rows, allow_pickle=False)

    def get(self, name: str) -> Floats:
        """A picture's rows."""
        try:
            return np.asarray(np.load(self.path(name), allow_pickle=False), np.float32)
        except (ValueError, EOFError, TokenError) as error:
            raise DetectionError(f"{self.path(name)}: is damaged ({error}): delete it and run again") from None

    def wait_for(self, names: Sequence[str]) -> None:
        """Wait until other processes have done all of these."""
        while not all(map(self.has, names)):
            time.sleep(0.1)
