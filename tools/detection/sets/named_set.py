"""A data set in VOC's layout or COCO's, by its place."""

from __future__ import annotations

from pathlib import Path

from ...datasets import CocoSet, VocSet
from ..errors import DetectionError
from ..measures import CocoIds
from ..names import names_of

NamedSet = VocSet | CocoSet


def named_set(path: Path, image_set: str, images: Path | None = None, classes: str | None = None) -> NamedSet:
    """Open a folder in VOC's layout, or COCO's file of annotations.

    `image_set` is which of VOC's lists of pictures, `classes` are VOC's, as `names_of` takes them; `images` is where
    COCO's pictures are.
    """
    if not path.exists():
        raise DetectionError(f"{path}: no such file or folder")
    if path.is_dir():
        if images:
            told = f"{path}: is a folder in VOC's layout, whose images are in JPEGImages: drop images="
            raise DetectionError(told, choices=("images",))
        return VocSet(path, image_set, names_of(classes) if classes else ())
    if classes:
        raise DetectionError(f"{path}: COCO's file has its own classes: drop classes=", choices=("classes",))
    if not images:
        raise DetectionError(f"{path}: say with images=FOLDER where its images are", choices=("images",))
    return CocoSet(path, images)


def set_name(pictures: NamedSet) -> str:
    """What its part is called in names of files."""
    return pictures.image_set if isinstance(pictures, VocSet) else pictures.file.stem


def coco_ids(pictures: NamedSet) -> CocoIds:
    """COCO's own numbers, or for another set those of its pictures and classes in a row, from 1."""
    names = [picture.name for picture in pictures.pictures()]
    if isinstance(pictures, CocoSet):
        return CocoIds({name: int(name) for name in names}, {name: n for n, name in pictures.categories.items()})
    numbers = {name: number for number, name in enumerate(names, 1)}
    return CocoIds(numbers, {name: number for number, name in enumerate(pictures.classes[1:], 1)})
