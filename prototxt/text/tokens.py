"""Prototxt text cut into tokens as Caffe's reader cuts it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import PrototxtError

_TOKEN = re.compile(
    r"""[ \t\n\r\v\f]+ | \#[^\n]*
    | (?P<word>   [A-Za-z_][A-Za-z0-9_]*)
    | (?P<number> \.?[0-9](?:[eE][+-]|[A-Za-z0-9_.])*)
    | (?P<string> "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*')
    | (?P<symbol> [^\x00-\x1f"'])""",
    re.VERBOSE,
)
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
_INTEGER = re.compile(r"0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*")
# No leading zero before a digit: that is an octal integer, which has no point.
_FLOAT = re.compile(r"(?!0[0-9])(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eEfF]))(?:[eE][+-]?[0-9]+)?[fF]?")
_ESCAPE = re.compile(
    rb"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U(000[0-9a-fA-F]{5}|0010[0-9a-fA-F]{4})|(.?))",
    re.DOTALL,
)
_LETTERS = dict(zip(b"abfnrtv\\?'\"", b"\a\b\f\n\r\t\v\\?'\"", strict=True))


class TextError(PrototxtError):
    """A prototxt cannot be read: `file:line:column: what, and what was likely meant`."""


class Token(NamedTuple):
    """A piece of the text, where it starts, and its kind: word, integer, float, string, symbol or end."""

    kind: str
    text: str
    start: int

    def __str__(self) -> str:
        return self.text or "the end of the text"


@dataclass(frozen=True)
class SourceText:
    """A prototxt's text, and the name that its errors go by."""

    name: str
    text: str

    def place(self, start: int) -> tuple[int, int]:
        """Line and column of a character, both counted from 1."""
        return self.text.count("\n", 0, start) + 1, start - self.text.rfind("\n", 0, start)

    def notes(self) -> list[str]:
        """Where bytes are that are not UTF-8; the text has each as a lone surrogate."""
        lines = [number for number, line in enumerate(self.text.split("\n"), 1) if _NOT_UTF8.search(line)]
        if not lines:
            return []
        more = f" and {len(lines) - 1} more" if len(lines) > 1 else ""
        return [f"line {lines[0]}{more}: bytes that are not UTF-8, in strings read as \\xNN"]

    def error(self, start: int, what: str) -> TextError:
        """The error to raise for what is there."""
        line, column = self.place(start)
        return TextError(f"{self.name}:{line}:{column}: {what}")

    def tokens(self) -> Iterator[Token]:
        """The tokens in turn, an empty one of kind end last."""
        start = 0
        while start < len(self.text):
            match = _TOKEN.match(self.text, start)
            if match is None:
                raise self._no_token(start)
            if kind := match.lastgroup:
                yield Token(self._number(match[0], start) if kind == "number" else kind, match[0], start)
            start = match.end()
        yield Token("end", "", start)

    def _number(self, text: str, start: int) -> str:
        if _INTEGER.fullmatch(text):
            return "integer"
        if _FLOAT.fullmatch(text):
            return "float"
        octal = "; a number with a leading 0 is octal" if re.fullmatch("0[0-9.]+", text) else ""
        raise self.error(start, f"{text} is not a number{octal}")

    def _no_token(self, start: int) -> TextError:
        character = self.text[start]
        if character in "\"'":
            return self.error(start, f"a string starts here and the line ends without the closing {character}")
        return self.error(start, f"control character {character!r}: this is no text")

    def unquote(self, token: Token) -> bytes:
        """The bytes that a string token stands for."""

        def byte(match: re.Match[bytes]) -> bytes:
            octal, pair, short, long, letter = match.groups()
            if octal or pair:
                return bytes([int(octal, 8) & 0xFF if octal else int(pair, 16)])
            if point := short or long:
                return chr(int(point, 16)).encode("utf-8", "surrogatepass")
            if letter and letter[0] in _LETTERS:
                return bytes([_LETTERS[letter[0]]])
            raise self.error(token.start, f"the string holds the unknown escape {match[0].decode(errors='replace')}")

        return _ESCAPE.sub(byte, token.text[1:-1].encode("utf-8", "surrogateescape"))
