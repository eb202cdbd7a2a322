"""Another number of classes, or others, or in another order: the heads keep the rows of those that go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...nearest import did_you_mean
from ..text import read_param_str, write_param_str
from .class_heads import AGNOSTIC, BOX, ClassHeads, class_heads
from .operation import Operation, Rows, SurgeryError, reached, spread

BACKGROUND = "__background__"
_SAME_AS_BACKGROUND = {BACKGROUND, "background"}


@dataclass(frozen=True)
class Classes:
    """Classes by name, the background first; of unnamed ones only the number is known."""

    names: tuple[str, ...]
    named: bool = True

    @classmethod
    def of(cls, words: str) -> Classes:
        """From `4`, a number that counts the background, or from `person,car`, names with or without the background."""
        if words.strip().isdecimal():
            return cls(tuple(map(str, range(int(words)))), named=False)
        names = [word.strip() for word in words.split(",")]
        names = names[1:] if names[0] in _SAME_AS_BACKGROUND else names
        if "" in names or len(set(names)) < len(names):
            raise SurgeryError(f"classes {words!r}: each needs a name of its own")
        return cls((BACKGROUND, *names))

    def index(self, word: str) -> int:
        """A class by its name or its number; the background is 0."""
        if word in _SAME_AS_BACKGROUND:
            return 0
        if self.named and word in self.names:
            return self.names.index(word)
        if word.isdecimal() and int(word) < len(self.names):
            return int(word)
        has = f"they are 0 to {len(self.names) - 1}" if not self.named else f"there are {', '.join(self.names)}"
        raise SurgeryError(f"no class {word!r}{did_you_mean(word, self.names) if self.named else ''} ({has})")

    def __str__(self) -> str:
        return ", ".join(self.names[1:]) if self.named else str(len(self.names))

    def label(self, index: int) -> str:
        """A class in print."""
        return f"{index} {self.names[index]!r}" if self.named else str(index)


@dataclass(frozen=True)
class ClassChange:
    """The new classes, what the old ones are called, and pairs OLD=NEW of those that go on under another name.

    Of two named lists, classes of the same name go on; the background always does.
    """

    new: Classes
    old: Classes | None = None
    keep: Sequence[str] = ()

    def rows(self, count: int) -> Rows:
        """For each new class the old one of `count` that it was."""
        old = self._old(count)
        rows: Rows = [None] * len(self.new.names)
        if old.named and self.new.named:
            rows = [old.names.index(name) if name in old.names else None for name in self.new.names]
        for pair in self.keep:
            before, equals, after = pair.partition("=")
            if not equals:
                raise SurgeryError(f"keep={pair}: expected OLD=NEW, such as bike=bicycle or 15=1", choices=("keep",))
            place = self.new.index(after)
            if rows[place] not in (None, old.index(before)):
                told = f"class {self.new.label(place)} is old class {rows[place]} already"
                raise SurgeryError(f"keep={pair}: {told}", choices=("keep",))
            rows[place] = old.index(before)
        if rows[0]:
            raise SurgeryError("class 0 stays the background: keep another")
        return [0, *rows[1:]]

    def old_label(self, index: int, count: int) -> str:
        """An old class in print."""
        return self._old(count).label(index)

    def _old(self, count: int) -> Classes:
        old = self.old or Classes.of(str(count))
        if len(old.names) != count:
            told = f"the net has {count} classes with the background, not {len(old.names)}"
            raise SurgeryError(f"{told}: old={old}", choices=("old",))
        return old


def change_classes(operation: Operation, change: ClassChange) -> None:
    """Resize the heads, and change every count of classes in the prototxt."""
    config, new = operation.net.config, len(change.new.names)
    if new < 2:
        raise SurgeryError(f"{new} class(es) are too few: the background is one")
    agnostic = bool(config["TRAIN.AGNOSTIC"] or config["TEST.AGNOSTIC"])
    found = class_heads(operation.message, agnostic)
    rows = change.rows(found.classes) if found.classes else []
    fresh = ", ".join(change.new.label(i) for i, row in enumerate(rows) if row is None)
    for head, numbers in found.heads:
        head.resize(operation, spread(rows, numbers), f"classes {fresh}")
    for table in found.embeds:
        table.embed_param.input_dim = new
        operation.set(table.name, "input_dim", found.classes, new)
        operation.resize(table.name, rows, f"classes {fresh}")
    for counter in found.counters:
        before = read_param_str(counter)["num_classes"]
        write_param_str(counter, "num_classes", new)
        operation.set(counter.name, "num_classes", before, new)
    operation.promise.moved |= reached(operation.net, {counter.name for counter in found.counters})
    kept = [(i, row) for i, row in enumerate(rows) if row is not None]
    operation.kept += [f"class {change.new.label(i)} was {change.old_label(row, found.classes)}" for i, row in kept]
    operation.notes += _notes(change, found, agnostic)


def _notes(change: ClassChange, found: ClassHeads, agnostic: bool) -> list[str]:
    """What one may not expect."""
    classes = found.classes
    notes = [f"layer {head.layer.name!r} scores {head.outputs} others: it stays as it is" for head in found.others]
    if not classes:
        notes.append("no head here scores classes: only num_classes was changed")
    elif found.boxes and BOX not in (numbers for _, numbers in found.heads):
        notes.append(f"no layer has {BOX}·{classes} outputs: boxes are for any class, and stay as they are")
    elif classes == AGNOSTIC and not agnostic:
        notes.append(
            "boxes were taken for those of 2 classes; if they are for any class, the config needs TRAIN.AGNOSTIC True"
        )
    if change.new.named and not change.old and not change.keep and classes:
        notes.append("the old classes have no names, so none but the background is kept: old=NAMES names them")
    return notes
