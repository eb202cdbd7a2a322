"""PASCAL VOC: a file of XML for each picture, and lists of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import DataFileError
from .pictures import BACKGROUND, Box, Picture, Size, Thing, Truths, class_number, numbers
from .xml_lines import Element, read_xml

VOC_CLASSES = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".JPG", ".JPEG", ".PNG")
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


class VocSet:
    """A list of pictures of a VOC folder, such as `VocSet("VOCdevkit/VOC2007", "trainval")`.

    Objects marked difficult are left out of the truths, unless `use_difficult`; for the classes see `known_classes`.
    """

    def __init__(
        self, folder: str | Path, image_set: str, classes: Sequence[str] = (), use_difficult: bool = False
    ) -> None:
        self.folder, self.image_set, self.use_difficult = voc_folder(Path(folder)), image_set, use_difficult
        self._classes = (BACKGROUND, *known_classes(self.folder, classes))

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes, the background first."""
        return self._classes

    def names(self) -> list[tuple[str, int]]:
        """The pictures' names and the lines that they are on."""
        return read_list(self.folder / "ImageSets" / "Main" / f"{self.image_set}.txt")

    def pictures(self) -> list[Picture]:
        """The pictures, in the list's order."""
        return [read_picture_of(self.folder, name) for name, _ in self.names()]

    def truths(self, picture: Picture, size: Size) -> Truths:
        """What to train on: boxes counted from 0 and cut to whole pixels; one outside of the picture is refused."""
        things = [thing for thing in picture.things if self.use_difficult or not thing.difficult]
        for thing in things:
            x1, y1, x2, y2 = thing.box
            if not (0 <= x1 <= x2 < size[0] and 0 <= y1 <= y2 < size[1]):
                what = f"box {numbers(thing.given)} does not lie in the picture of {size[0]}×{size[1]}"
                raise DataFileError(picture.file, thing.line, f"{what} (recaffe data check tells more and mends it)")
        classes = [class_number(self.classes, picture, thing) for thing in things]
        areas = [(x2 - x1 + 1) * (y2 - y1 + 1) for x1, y1, x2, y2 in (thing.box for thing in things)]
        return Truths.of([thing.box for thing in things], classes, areas, [False] * len(things))


def voc_folder(folder: Path) -> Path:
    """The folder with Annotations: this one, or the only one of that kind in it."""
    if (folder / "Annotations").is_dir():
        return folder
    inside = sorted(path.parent for path in folder.glob("*/Annotations"))
    if len(inside) != 1:
        found = f"has {len(inside)} folders with Annotations: name one" if inside else "has no folder Annotations"
        raise DataFileError(folder, 0, found)
    return inside[0]


def known_classes(folder: Path, given: Sequence[str] = ()) -> tuple[str, ...]:
    """Those given, else those that a folder has lists of (ImageSets/Main/CLASS_SET.txt) by the alphabet, else VOC's.

    They are in small letters: the originals read names so.
    """
    return tuple(name.lower().strip() for name in given or _listed(folder) or VOC_CLASSES)


def _listed(folder: Path) -> tuple[str, ...]:
    lists = folder / "ImageSets" / "Main"
    stems = {path.stem for path in lists.glob("*.txt")}
    pairs = (stem.rpartition("_") for stem in stems)
    return tuple(sorted({name for name, _, image_set in pairs if name and image_set in stems}))


def read_list(path: Path) -> list[tuple[str, int]]:
    """The names in a list and their lines; of a class's list the first column."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataFileError(path, 0, f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return [(line.split()[0], number) for number, line in enumerate(lines, 1) if line.strip()]


def read_picture_of(folder: Path, name: str) -> Picture:
    """A picture by its name, from its annotation."""
    file = folder / "Annotations" / f"{name}.xml"
    root = read_xml(file)
    size = root.find("size")
    stated = tuple(int(size.need(side).number()) for side in ("width", "height")) if size else None
    things = tuple(_thing(element, number) for number, element in enumerate(root.all("object")))
    places = [folder / "JPEGImages" / f"{name}{suffix}" for suffix in _SUFFIXES]
    path = next((place for place in places if place.exists()), places[0])
    return Picture(name, path, (stated[0], stated[1]) if stated else None, things, file, size.line if size else 1)


def _thing(element: Element, number: int) -> Thing:
    """An object; without <difficult> it is not."""
    corners = element.need("bndbox")
    given: Box = tuple(corners.need(name).number() for name in _CORNERS)  # type: ignore[assignment]
    x1, y1, x2, y2 = (value - 1 for value in given)
    difficult = element.find("difficult")
    return Thing(
        element.need("name").text.lower().strip(),
        (x1, y1, x2, y2),
        given,
        corners.line,
        number,
        difficult=difficult is not None and difficult.number() != 0,
    )
