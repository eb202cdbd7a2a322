"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from ..errors import PrototxtError


@contextmanager
def whole_file(path: str | os.PathLike[str], force: bool = False) -> Iterator[Path]:
    """Give a place beside the file's to write to; what is there in the end becomes the file, after a fault nothing.

    A file that is there already is refused, or with `force` replaced in one step.
    """
    target = Path(path)
    _refuse_existing(target, force)
    # The suffix stays: writers and readers know the format by it.
    part = target.with_name(f".part-{os.getpid()}-{target.name}")
    try:
        yield part
        with brought_to_disk(part):
            pass
        _refuse_existing(target, force)
        os.replace(part, target)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        raise PrototxtError(f"{target}: cannot be written: {reason}") from None
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def brought_to_disk(path: Path) -> Iterator[None]:
    """Have a written file brought to the disk beside what the body does."""
    with open(path, "rb") as written, ThreadPoolExecutor(1) as pool:
        done = pool.submit(os.fsync, written.fileno())
        yield
        done.result()


def _refuse_existing(target: Path, force: bool) -> None:
    if target.is_dir():
        raise PrototxtError(f"{target}: is a folder")
    if not force and os.path.lexists(target):
        raise PrototxtError(f"{target}: exists already (force=True replaces it)", choices=("force",))
