"""A checkup of a whole data set."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ..annotations import CocoSet, Picture, Size, known_classes, read_list, read_picture_of, voc_folder
from ..errors import DataFileError
from .picture_checkup import Checked, Finding, Rules, check_picture, image_fault

_CACHES = ("annots.pkl", "*_annots.pkl", "*_roidb.pkl")
_HALF_A_PIXEL = 0.5  # COCO's outlines are not whole pixels


@dataclass
class SetReport:
    """A data set's pictures as they were found, and every finding."""

    source: Path
    pictures: list[Checked] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def objects(self) -> int:
        """How many objects are annotated."""
        return sum(len(checked.picture.things) for checked in self.pictures)

    def unusable(self) -> set[str]:
        """The names of pictures that cannot be used."""
        return {checked.picture.name for checked in self.pictures if not checked.usable}


def check_voc(folder: Path, classes: Sequence[str], tiny: int) -> SetReport:
    """Look at every annotation, image and list of a VOC folder."""
    root = voc_folder(folder)
    report = SetReport(root, findings=_caches(root, root.parent.parent))
    files = sorted((root / "Annotations").glob("*.xml"))
    if not files:
        raise DataFileError(root / "Annotations", 0, "has no annotation (.xml)")
    pictures = []
    for file in files:
        try:
            pictures.append(read_picture_of(root, file.stem))
        except DataFileError as error:
            report.findings.append(_broken(error, "leaves the picture out"))
    faults = _images(pictures)
    known = known_classes(root, classes)
    _check(report, pictures, faults, Rules(known, tiny, shift=_counts_from_zero(pictures, faults)))
    for path in sorted((root / "ImageSets" / "Main").glob("*.txt")):
        report.findings += _list_findings(path, {file.stem for file in files})
    return report


def check_coco(file: Path, images: Path, tiny: int) -> SetReport:
    """Look at every annotation of a COCO file and at its images."""
    coco = CocoSet(file, images)
    broken: list[DataFileError] = []
    pictures = coco.pictures(broken)
    findings = _caches(file.parent, file.parent.parent.parent) + [_broken(error, "") for error in broken]
    report = SetReport(file, findings=findings)
    rules = Rules(coco.classes[1:], tiny, first=0, slack=_HALF_A_PIXEL)
    _check(report, pictures, _images(pictures), rules)
    return report


def _images(pictures: list[Picture]) -> list[tuple[Size | None, Finding | None]]:
    with ThreadPoolExecutor() as pool:
        return list(pool.map(image_fault, pictures))


def _check(
    report: SetReport, pictures: list[Picture], faults: list[tuple[Size | None, Finding | None]], rules: Rules
) -> None:
    for picture, (size, fault) in zip(pictures, faults, strict=True):
        report.pictures.append(check_picture(picture, size, fault, rules))
        report.findings += report.pictures[-1].findings


def _counts_from_zero(pictures: list[Picture], faults: list[tuple[Size | None, Finding | None]]) -> bool:
    """Whether all boxes must have been counted from 0.

    Some begin there, some end at the last pixel so counted, and none goes farther.
    """
    begins = ends = False
    for picture, (size, _) in zip(pictures, faults, strict=True):
        for thing in picture.things if size else ():
            x1, y1, x2, y2 = thing.given
            width, height = size or (0, 0)
            if x2 >= width or y2 >= height:
                return False
            begins |= x1 == 0 or y1 == 0
            ends |= x2 == width - 1 or y2 == height - 1
    return begins and ends


def _list_findings(path: Path, annotated: set[str]) -> list[Finding]:
    findings: list[Finding] = []
    first: dict[str, int] = {}
    for name, line in read_list(path):
        if name in first:
            what = f"picture {name} is listed already on line {first[name]}"
            findings.append(Finding("duplicate", path, line, what, "drops it"))
        elif name not in annotated:
            findings.append(Finding("missing", path, line, f"picture {name} has no annotation", "drops it"))
        first.setdefault(name, line)
    return findings


def _broken(error: DataFileError, mend: str) -> Finding:
    return Finding("broken", error.file, error.line, error.what, mend, "mend it by hand: it was not looked at further")


def _caches(folder: Path, data: Path) -> list[Finding]:
    """Caches that the originals left with a set, in a folder in it or beside it, or in their own of all data."""
    folders = (folder, *folder.glob("*/"), folder.parent, folder.parent / "annotations_cache", data / "cache")
    files = {file for place in folders for pattern in _CACHES for file in place.glob(pattern)}
    what = "is a cache of the originals, which they believe whatever has changed since"
    return [Finding("cache", file, 0, what, "", "delete it; nothing here reads it") for file in sorted(files)]
