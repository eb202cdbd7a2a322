"""XML that knows its lines, for annotations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from ..errors import DataFileError


@dataclass
class Element:
    """An element, its text up to its first child, and the line where it begins."""

    file: Path
    tag: str
    line: int
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, tag: str) -> Iterator[Element]:
        """The children of a name."""
        return (child for child in self.children if child.tag == tag)

    def find(self, tag: str) -> Element | None:
        """The first child of a name."""
        return next(self.all(tag), None)

    def need(self, tag: str) -> Element:
        """The same; a missing one is refused."""
        found = self.find(tag)
        if found is None:
            raise DataFileError(self.file, self.line, f"<{self.tag}> has no <{tag}>")
        return found

    def number(self) -> float:
        """The text as a finite number."""
        try:
            value = float(self.text)
        except ValueError:
            value = float("nan")
        if not abs(value) < float("inf"):  # NaN is not, either
            raise DataFileError(self.file, self.line, f"<{self.tag}> is {self.text.strip()!r}, not a number")
        return value


def read_xml(path: Path) -> Element:
    """The root element of a file."""
    root: list[Element] = []
    open_ones: list[Element] = []
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def start(tag: str, attributes: dict[str, str]) -> None:
        element = Element(path, tag, parser.CurrentLineNumber)
        (open_ones[-1].children if open_ones else root).append(element)
        open_ones.append(element)

    def text(data: str) -> None:
        if not open_ones[-1].children:
            open_ones[-1].text += data

    parser.StartElementHandler = start
    parser.CharacterDataHandler = text
    parser.EndElementHandler = lambda tag: open_ones.pop()
    try:
        parser.Parse(path.read_bytes(), True)
    except expat.ExpatError as error:
        raise DataFileError(path, error.lineno, f"is not XML: {expat.errors.messages[error.code]}") from None
    except OSError as error:
        raise DataFileError(path, 0, f"cannot be read: {error.strerror}") from None
    return root[0]
