"""The one way out for params: the suffix says which format."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..errors import PrototxtError
from .format import Format
from .layer_params import LayerParams
from .sniff import FORMATS
from .wire import DIALECTS, Dialect

WRITABLE = {one.suffix: one for one in FORMATS if one.write}
"""The formats of weights that are written, by suffix."""


def format_for(path: Path) -> Format:
    """The format that the name of a file to be written says."""
    for suffix, one in WRITABLE.items():
        if path.name.endswith(suffix):
            return one
    raise PrototxtError(f"{path}: no format has this suffix; there are {', '.join(WRITABLE)}")


def write_params(path: Path, net_name: str, layers: Sequence[LayerParams], dialect: Dialect = DIALECTS["bvlc"]) -> None:
    """Write a net's layers with their params, to a place where no file is; only a .caffemodel has a dialect.

    After a fault nothing is left there.
    """
    form = format_for(path)
    if not any(layer.params for layer in layers):
        raise PrototxtError(f"{path}: net {net_name!r} has no params to write")
    if not form.by_module:
        _refuse_namesakes(layers)
    assert form.write
    with _nothing_left(path):
        form.write(path, net_name, layers, dialect)


@contextmanager
def _nothing_left(path: Path) -> Iterator[None]:
    """Take away what a write that failed has left; a file that was there before stays."""
    there = os.path.lexists(path)
    try:
        yield
    except BaseException as error:
        if not there:
            path.unlink(missing_ok=True)
        # After a write that failed HDF5 and torch close their files in vain, and tell of that alone.
        if isinstance(error, RuntimeError) and isinstance(error.__context__, OSError):
            raise error.__context__ from None
        raise


def _refuse_namesakes(layers: Sequence[LayerParams]) -> None:
    """Refuse two layers with params under one name, by which alone a reader would find them."""
    names: set[str] = set()
    for layer in layers:
        if layer.params and layer.name in names:
            others = " or ".join(suffix for suffix, one in WRITABLE.items() if one.by_module)
            raise PrototxtError(
                f"{layer.where}: an earlier layer of that name has params, too (rename one, or choose {others})"
            )
        names |= {layer.name} if layer.params else set()
