"""What can be wrong with an annotated picture, and what is certain enough to be mended."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..annotations import Box, Picture, Size, Thing, numbers
from ..errors import DataFileError
from ..images import is_cut_off, picture_size, read_pixels

KINDS = (
    "zero-based",
    "inverted",
    "outside",
    "tiny",
    "duplicate",
    "class",
    "missing",
    "unreadable",
    "size",
    "empty",
    "cache",
    "broken",
)
"""What a finding is about: boxes, classes, images, annotations, and what other programs left behind."""


@dataclass(frozen=True)
class Finding:
    """One fault and its place; what mending does about it, if anything (`mend`), else what you can (`way`)."""

    kind: str
    file: Path
    line: int
    what: str
    mend: str = ""
    way: str = ""

    def __str__(self) -> str:
        way_out = f"mending {self.mend}" if self.mend else self.way
        return f"{self.place}: {self.what} ({way_out})"

    @property
    def place(self) -> str:
        """File and line; a file that has no lines alone."""
        return f"{self.file}:{self.line}" if self.line else str(self.file)


@dataclass(frozen=True)
class Rules:
    """What is right in a data set: its classes, the smallest side, and how its boxes count.

    `shift`: they count from 0 where the format counts from 1. `slack`: how far a box may lie outside unnoticed.
    """

    classes: tuple[str, ...]
    tiny: int = 3
    first: int = 1
    shift: bool = False
    slack: float = 0.0


@dataclass
class Checked:
    """A picture's findings, and how a corrected copy has it: boxes by their objects' numbers (None: left out), size."""

    picture: Picture
    findings: list[Finding] = field(default_factory=list)
    boxes: dict[int, Box | None] = field(default_factory=dict)
    size: Size | None = None
    usable: bool = True

    def tell(self, kind: str, line: int, what: str, mend: str = "", way: str = "") -> None:
        """Add a finding."""
        self.findings.append(Finding(kind, self.picture.file, line, what, mend, way))


def image_fault(picture: Picture) -> tuple[Size | None, Finding | None]:
    """The size of a picture's image, and what is wrong with the file."""
    path, mend = picture.path, "leaves the picture out"
    if not path.is_file():
        return None, Finding("missing", picture.file, picture.line, f"image {path} is missing", mend)
    try:
        size = picture_size(path)
        height, width, _ = read_pixels(path).shape
    except DataFileError as error:
        return None, Finding("unreadable", picture.file, picture.line, f"image {path} {error.what}", mend)
    if size != (width, height) or is_cut_off(path):
        return None, Finding("unreadable", picture.file, picture.line, f"image {path} is damaged or cut off", mend)
    return size, None


def check_picture(picture: Picture, size: Size | None, fault: Finding | None, rules: Rules) -> Checked:
    """Look at one picture, whose image has a size or a fault."""
    checked = Checked(picture, [fault] if fault else [], usable=size is not None)
    if size:
        _check_size(checked, size)
    if all(thing.difficult or thing.crowd for thing in picture.things):
        what = "has none but difficult objects or crowds" if picture.things else "has no object"
        way = "training passes over it: annotate it, or take it off the list"
        checked.tell("empty", picture.line, f"picture {picture.name} {what}", way=way)
    known = size or picture.size
    first: dict[tuple[str, Box], Thing] = {}
    for thing in picture.things:
        if thing.name not in rules.classes:
            what = f"class {thing.name!r} is unknown (known: {', '.join(rules.classes)})"
            checked.tell("class", thing.line, what, way="name it as one of them, or name the classes with classes=")
        box = _check_box(checked, thing, known, rules) if known and min(known) > 0 else thing.box
        if box and (twin := first.setdefault((thing.name, box), thing)) is not thing:
            checked.tell("duplicate", thing.line, f"{_box(thing)} is the same as that on line {twin.line}", "drops it")
            box = None
        if box != thing.box:
            checked.boxes[thing.number] = box
    return checked


def _check_size(checked: Checked, size: Size) -> None:
    said, line = checked.picture.size, checked.picture.line
    real = f"the image has {size[0]}×{size[1]}"
    if said is None or min(said) <= 0:
        checked.tell("size", line, f"tells no size, {real}", "fills it in")
        checked.size = size
    elif said != size:
        way = "the boxes may belong to another version of it: put that back, or annotate it anew"
        checked.tell("size", line, f"says {said[0]}×{said[1]}, but {real}", way=way)


def _check_box(checked: Checked, thing: Thing, size: Size, rules: Rules) -> Box | None:
    """Look at a box; gives it as it must have been meant, none where nothing of it is in the picture."""
    what, (width, height), (x1, y1, x2, y2) = _box(thing), size, thing.box
    if rules.first and 0 in thing.given[:2]:
        mend = "adds 1 to all boxes of the data set" if rules.shift else "cuts it"
        checked.tell("zero-based", thing.line, f"{what} is counted from 0, and VOC counts from 1", mend)
        x1, y1 = (0 if value == -1 and not rules.shift else value for value in (x1, y1))
    if rules.shift:
        x1, y1, x2, y2 = x1 + 1, y1 + 1, x2 + 1, y2 + 1
    # Corners are the first and last pixel in VOC; in COCO the last is the next one's edge less 1.
    edge = 1 - rules.first
    if x2 + edge < x1 or y2 + edge < y1:
        checked.tell("inverted", thing.line, f"{what} is inverted", "puts its corners in order")
        x1, x2 = (x2 + edge, x1 - edge) if x2 + edge < x1 else (x1, x2)
        y1, y2 = (y2 + edge, y1 - edge) if y2 + edge < y1 else (y1, y2)
    if x1 >= width or y1 >= height or x2 < 0 or y2 < 0:
        checked.tell("outside", thing.line, f"{what} is outside of the picture of {width}×{height}", "drops it")
        return None
    if max(-x1, -y1, x2 - width + 1, y2 - height + 1) > rules.slack:
        checked.tell("outside", thing.line, f"{what} is in part outside of the picture of {width}×{height}", "cuts it")
        x1, y1, x2, y2 = max(x1, 0), max(y1, 0), min(x2, width - 1), min(y2, height - 1)
    sides = x2 - x1 + 1, y2 - y1 + 1
    if min(sides) < rules.tiny:
        way = "it can hardly be learned: leave it out, or mark it difficult"
        checked.tell("tiny", thing.line, f"{what} is only {sides[0]:g}×{sides[1]:g} pixels", way=way)
    return x1, y1, x2, y2


def _box(thing: Thing) -> str:
    return f"box {numbers(thing.given)} of {thing.name!r}"
