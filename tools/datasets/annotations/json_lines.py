"""The lists of a large JSON object, item by item, with the line of each."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DataFileError

_SPACE = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class JsonObject:
    """An object in a list, and the line where it begins."""

    file: Path
    line: int
    kind: str
    values: dict[str, Any]

    def need(self, key: str, *kinds: type) -> Any:
        """A value; a missing one, or one of another kind, is refused."""
        value = self.values.get(key)
        if type(value) not in kinds:
            wanted = " or ".join(kind.__name__ for kind in kinds)
            found = f"{key} {value!r}" if key in self.values else f"no {key}"
            raise DataFileError(self.file, self.line, f"{self.name} has {found}, where {wanted} is needed")
        return value

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return f"{self.kind} {self.values.get('id', '')}".rstrip()


class JsonLists:
    """Reads a file whose outermost object has lists of objects; other values are passed over."""

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            self._text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DataFileError(file, 0, f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
        self._at = self._line = 0
        self._counted = 0
        self._decode = json.JSONDecoder().raw_decode

    def read(self, kinds: dict[str, str]) -> dict[str, list[JsonObject]]:
        """The lists of those names; `kinds` tells what an item of each is called."""
        lists: dict[str, list[JsonObject]] = {}
        self._take("{")
        while not self._follows("}"):
            key = self._value()
            self._take(":")
            if key in kinds:
                lists[key] = self._items(kinds[key])
            else:
                self._value()
            if not self._follows(","):
                self._take("}")
                break
        for key in kinds:
            if key not in lists:
                raise DataFileError(self.file, 0, f"has no list {key!r}: it is not a COCO file of annotations")
        return lists

    def _items(self, kind: str) -> list[JsonObject]:
        items: list[JsonObject] = []
        self._take("[")
        while not self._follows("]"):
            self._skip()
            line, value = self._number_of_line(), self._value()
            if not isinstance(value, dict):
                raise DataFileError(self.file, line, f"{kind} is {value!r}, not an object")
            items.append(JsonObject(self.file, line, kind, value))
            if not self._follows(","):
                self._take("]")
                break
        return items

    def _value(self) -> Any:
        self._skip()
        try:
            value, self._at = self._decode(self._text, self._at)
        except (json.JSONDecodeError, RecursionError) as error:
            line = getattr(error, "lineno", self._number_of_line())
            raise DataFileError(self.file, line, f"is not JSON: {getattr(error, 'msg', error)}") from None
        return value

    def _skip(self) -> None:
        self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]  # it matches anything

    def _follows(self, mark: str) -> bool:
        """Whether that comes next; then it is passed."""
        self._skip()
        found = self._text.startswith(mark, self._at)
        self._at += found
        return found

    def _take(self, mark: str) -> None:
        if not self._follows(mark):
            raise DataFileError(self.file, self._number_of_line(), f"is not JSON: expected {mark!r}")

    def _number_of_line(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line + 1
