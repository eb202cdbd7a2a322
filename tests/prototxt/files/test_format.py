"""What every format has, and what none of them needs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import recaffe.prototxt.files
from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.files.format import Format
from recaffe.prototxt.files.sniff import FORMATS
from recaffe.prototxt.files.wire.mapped_file import MappedFile


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_an_empty_file_is_refused_by_every_format(form: Format, tmp_path: Path) -> None:
    path = tmp_path / f"empty{form.suffix}"
    path.write_bytes(b"")
    for open_file in (form.read, form.listing):
        with pytest.raises(PrototxtError, match=rf"^{re.escape(str(path))}: [^\n]+$"):
            open_file(MappedFile(path))


def test_only_a_caffemodel_is_of_a_fork() -> None:
    titles = {one.name: one.title("ssd") for one in FORMATS}
    assert titles["caffemodel"] == ".caffemodel of ssd's Caffe"
    assert titles["hdf5"] == ".caffemodel.h5"


def test_files_know_no_net() -> None:
    """Whoever reads or writes a file needs neither a net nor a solver."""
    folder = Path(recaffe.prototxt.files.__file__).parent
    imports = re.compile(r"from \.\.(net|export|solving|surgery|zoo)\b")
    assert [path.name for path in folder.glob("*.py") if imports.search(path.read_text())] == []
