"""The data set that a command's arguments name."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..datasets import CocoSet, VocSet
from ..errors import CommandError
from .measures import CocoIds
from .names import names_of

NamedSet = VocSet | CocoSet


def add_set(parser: argparse.ArgumentParser, image_set: str = "test") -> None:
    """Add the data set and what tells its parts."""
    parser.add_argument(
        "dataset", metavar="DATASET", type=Path, help="a folder in VOC's layout, or COCO's instances_*.json"
    )
    parser.add_argument(
        "--image-set", default=image_set, metavar="NAME", help=f"which of VOC's lists of pictures (default {image_set})"
    )
    parser.set_defaults(default_image_set=image_set)
    parser.add_argument("--images", metavar="FOLDER", type=Path, help="where COCO's images are")
    parser.add_argument(
        "--classes", metavar="NAMES", help="voc, coco, NAME,NAME,... or a file of them (default: the data set's own)"
    )


def named_set(args: argparse.Namespace) -> NamedSet:
    """Open it."""
    path: Path = args.dataset
    if not path.exists():
        raise CommandError(f"{path}: no such file or folder")
    if path.is_dir():
        if args.images:
            raise CommandError(f"{path}: is a folder in VOC's layout, whose images are in JPEGImages: drop --images")
        return VocSet(path, args.image_set or args.default_image_set, names_of(args.classes) if args.classes else ())
    if args.classes:
        raise CommandError(f"{path}: COCO's file has its own classes: drop --classes")
    if not args.images:
        raise CommandError(f"{path}: say with --images FOLDER where its images are")
    return CocoSet(path, args.images)


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
