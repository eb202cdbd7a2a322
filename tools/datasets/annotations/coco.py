"""COCO: one file of JSON for all pictures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from ..errors import DataFileError
from .json_lines import JsonLists, JsonObject
from .pictures import BACKGROUND, Box, Picture, Size, Thing, Truths, class_number

KINDS = {"images": "image", "annotations": "annotation", "categories": "category"}
"""The lists that are read, and what one of each is called."""


class CocoSet:
    """The pictures of a file such as `CocoSet("annotations/instances_val2014.json", "images/val2014")`.

    The classes are the categories, in the file's order.
    """

    def __init__(self, file: str | Path, images: str | Path) -> None:
        self.file, self.images = Path(file), Path(images)
        self._lists = JsonLists(self.file).read(KINDS)

    @cached_property
    def categories(self) -> dict[int, str]:
        """The classes' names by the file's numbers for them."""
        found = {item.need("id", int): str(item.need("name", str)) for item in self._lists["categories"]}
        names = list(found.values())
        if len(names) != len(self._lists["categories"]) or len(set(names)) != len(names):
            raise DataFileError(self.file, 0, "two categories have the same id or name")
        return found

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes, the background first."""
        return (BACKGROUND, *self.categories.values())

    def pictures(self, faults: list[DataFileError] | None = None) -> list[Picture]:
        """The pictures, in the file's order; what cannot be used is refused, or put into `faults` and left out."""
        things: dict[int, list[Thing]] = defaultdict(list)
        owners = self._owners()
        for number, item in enumerate(self._lists["annotations"]):
            with _collected(faults):
                owner = item.need("image_id", int)
                if owner not in owners:
                    raise DataFileError(self.file, item.line, f"{item.name} is of image {owner}, which is not listed")
                things[owner].append(self._thing(item, number))
        pictures = []
        for number, item in owners.items():
            with _collected(faults):
                size = item.need("width", int), item.need("height", int)
                path = self.images / item.need("file_name", str)
                pictures.append(Picture(str(number), path, size, tuple(things[number]), self.file, item.line))
        return pictures

    def truths(self, picture: Picture, size: Size) -> Truths:
        """What to train on: boxes cut to the picture and to whole pixels; those without area are left out.

        A box that begins outside begins at the border with its full size, as in the originals.
        """
        kept: list[tuple[Thing, Box]] = []
        for thing in picture.things:
            x, y, width, height = thing.given
            x1, y1 = max(0.0, x), max(0.0, y)
            x2, y2 = min(size[0] - 1.0, x1 + max(0.0, width - 1)), min(size[1] - 1.0, y1 + max(0.0, height - 1))
            if (thing.area or 0) > 0 and x2 >= x1 and y2 >= y1:
                kept.append((thing, (x1, y1, x2, y2)))
        return Truths.of(
            [box for _, box in kept],
            [class_number(self.classes, picture, thing) for thing, _ in kept],
            [thing.area or 0 for thing, _ in kept],
            [thing.crowd for thing, _ in kept],
        )

    def _owners(self) -> dict[int, JsonObject]:
        """The images by their ids."""
        owners: dict[int, JsonObject] = {}
        for item in self._lists["images"]:
            if owners.setdefault(item.need("id", int), item) is not item:
                raise DataFileError(self.file, item.line, f"{item.name} is listed twice")
        return owners

    def _thing(self, item: JsonObject, number: int) -> Thing:
        """An annotation; one without an area has that of its box."""
        given = item.need("bbox", list)
        if len(given) != 4 or not all(type(value) in (int, float) and abs(value) < 1e9 for value in given):
            raise DataFileError(self.file, item.line, f"{item.name} has bbox {given!r}, not four numbers")
        x, y, width, height = map(float, given)
        category = item.need("category_id", int)
        return Thing(
            self.categories.get(category, f"category {category}"),
            (x, y, x + width - 1, y + height - 1),
            (x, y, width, height),
            item.line,
            number,
            crowd=bool(item.values.get("iscrowd", 0)),
            area=float(item.need("area", int, float) if "area" in item.values else width * height),
        )


@contextmanager
def _collected(faults: list[DataFileError] | None) -> Iterator[None]:
    """Put a fault aside, if there is a place for it."""
    try:
        yield
    except DataFileError as error:
        if faults is None:
            raise
        faults.append(error)
