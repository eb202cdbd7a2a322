"""Drawn scenes as a data set in VOC's layout."""

from __future__ import annotations

from pathlib import Path

import cv2

from ..whole_folder import whole_folder
from .scenes import SHAPES, Drawn, Scene, draw_scene

_TEST_SHARE = 4
"""Every fourth picture is to test with."""


def write_shapes(folder: str | Path, images: int, seed: int, force: bool = False) -> dict[str, int]:
    """Write so many scenes of a seed, and lists of them to train and to test with; gives how many shapes of each class.

    The same seed gives the same bytes, with the same OpenCV; more images only add to them.
    """
    counts = dict.fromkeys(SHAPES, 0)
    sets: dict[str, list[tuple[str, Scene]]] = {"trainval": [], "test": []}
    with whole_folder(folder, force) as part:
        for place in ("Annotations", "JPEGImages", "ImageSets/Main"):
            (part / place).mkdir(parents=True)
        for number in range(1, images + 1):
            name, scene = f"{number:06}", draw_scene(seed, number)
            _, data = cv2.imencode(".jpg", scene.pixels, [cv2.IMWRITE_JPEG_QUALITY, 95])
            (part / "JPEGImages" / f"{name}.jpg").write_bytes(data.tobytes())
            (part / "Annotations" / f"{name}.xml").write_text(annotation(name, scene))
            sets["trainval" if number % _TEST_SHARE else "test"].append((name, scene))
            for shape in scene.shapes:
                counts[shape.name] += 1
        for image_set, scenes in sets.items():
            _write_lists(part / "ImageSets" / "Main", image_set, scenes)
    return counts


def annotation(name: str, scene: Scene) -> str:
    """A scene's annotation, in VOC's XML."""
    height, width, depth = scene.pixels.shape
    size = f"<width>{width}</width>\n\t\t<height>{height}</height>\n\t\t<depth>{depth}</depth>"
    head = f"\t<filename>{name}.jpg</filename>\n\t<size>\n\t\t{size}\n\t</size>\n\t<segmented>0</segmented>\n"
    return f"<annotation>\n{head}{''.join(map(_object, scene.shapes))}</annotation>\n"


def _object(shape: Drawn) -> str:
    corners = zip(("xmin", "ymin", "xmax", "ymax"), shape.box, strict=True)
    box = "".join(f"\t\t\t<{name}>{value + 1}</{name}>\n" for name, value in corners)  # VOC counts from 1
    flags = f"<truncated>{shape.truncated:d}</truncated>\n\t\t<difficult>{shape.difficult:d}</difficult>"
    return f"\t<object>\n\t\t<name>{shape.name}</name>\n\t\t{flags}\n\t\t<bndbox>\n{box}\t\t</bndbox>\n\t</object>\n"


def _write_lists(folder: Path, image_set: str, scenes: list[tuple[str, Scene]]) -> None:
    """The set's list, and for each class which pictures have it: 1, -1, or 0 where all of them are difficult."""
    (folder / f"{image_set}.txt").write_text("".join(f"{name}\n" for name, _ in scenes))
    for kind in SHAPES:
        lines = []
        for name, scene in scenes:
            difficult = [shape.difficult for shape in scene.shapes if shape.name == kind]
            lines.append(f"{name} {(0 if all(difficult) else 1) if difficult else -1:2}\n")
        (folder / f"{kind}_{image_set}.txt").write_text("".join(lines))
