"""The error that all rooms' errors are."""

from __future__ import annotations


class RecaffeError(ValueError):
    """Something cannot be done as it was asked for: one line that says what, where, and the way out.

    `choices` are the keyword arguments that the line names, as in `force=True` or `dialect=microsoft`: where they were
    chosen in other words, as by the flags of a command, those take their place.
    """

    def __init__(self, *words: object, choices: tuple[str, ...] = ()) -> None:
        super().__init__(*words)
        self.choices = choices
