"""A corrected copy of a data set: what is certain is mended, what cannot be used is left out."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

from ....prototxt.files import whole_file
from ..annotations import Box, read_list
from ..whole_folder import whole_folder
from .picture_checkup import Checked
from .set_checkup import SetReport

_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def write_voc_copy(report: SetReport, target: Path, force: bool) -> None:
    """Write annotations, images and lists of what can be used; what needs no change is copied byte by byte."""
    root = report.source
    usable = {checked.picture.name: checked for checked in report.pictures if checked.usable}
    with whole_folder(target, force) as part:
        for place in ("Annotations", "JPEGImages", "ImageSets/Main"):
            (part / place).mkdir(parents=True)
        for name, checked in usable.items():
            picture = checked.picture
            shutil.copyfile(picture.path, part / "JPEGImages" / picture.path.name)
            _copy_annotation(checked, part / "Annotations" / f"{name}.xml")
        for path in sorted((root / "ImageSets" / "Main").glob("*.txt")):
            lines = path.read_text(encoding="utf-8").splitlines()
            kept: dict[str, str] = {}
            for name, line in read_list(path):
                if name in usable:
                    kept.setdefault(name, lines[line - 1])
            (part / "ImageSets" / "Main" / path.name).write_text("".join(f"{line}\n" for line in kept.values()))


def write_coco_copy(report: SetReport, target: Path, force: bool) -> None:
    """Write the file without the images that cannot be used, and with boxes mended."""
    content = json.loads(report.source.read_text(encoding="utf-8"))
    boxes = {number: box for checked in report.pictures for number, box in checked.boxes.items()}
    out = {int(name) for name in report.unusable()}
    sizes = {int(checked.picture.name): checked.size for checked in report.pictures if checked.size}
    annotations = []
    for number, annotation in enumerate(content["annotations"]):
        box = boxes.get(number, ...)
        if box is None or annotation.get("image_id") in out:
            continue
        if isinstance(box, tuple):
            x1, y1, x2, y2 = box
            annotation["bbox"] = [_plain(value) for value in (x1, y1, x2 - x1 + 1, y2 - y1 + 1)]
        annotations.append(annotation)
    content["annotations"] = annotations
    content["images"] = [image for image in content["images"] if image["id"] not in out]
    for image in content["images"]:
        if image["id"] in sizes:
            image["width"], image["height"] = sizes[image["id"]]
    with whole_file(target, force) as part:
        part.write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")


def _copy_annotation(checked: Checked, target: Path) -> None:
    file = checked.picture.file
    if not checked.boxes and not checked.size:
        shutil.copyfile(file, target)
        return
    root = ET.parse(file).getroot()
    for number, element in enumerate(root.findall("object")):
        box = checked.boxes.get(number, ...)
        if box is None:
            root.remove(element)
        elif isinstance(box, tuple):
            _set_box(element, box)
    if checked.size:
        _set_size(root, checked.size)
    target.write_text(ET.tostring(root, encoding="unicode") + "\n", encoding="utf-8")


def _set_box(element: ET.Element, box: Box) -> None:
    for name, value in zip(_CORNERS, box, strict=True):
        corner = element.find(f"bndbox/{name}")
        if corner is not None:
            corner.text = str(_plain(value + 1))  # VOC counts from 1


def _set_size(root: ET.Element, size: tuple[int, int]) -> None:
    parent = root.find("size")
    if parent is None:
        parent = ET.SubElement(root, "size")
    for name, value in zip(("width", "height"), size, strict=True):
        side = parent.find(name)
        if side is None:
            side = ET.SubElement(parent, name)
        side.text = str(value)


def _plain(value: float) -> float:
    """Whole numbers as such."""
    return int(value) if value == int(value) else value
