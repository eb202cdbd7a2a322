"""Names of classes: those of VOC and COCO, or the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..datasets import BACKGROUND, VOC_CLASSES
from .errors import DetectionError

_COCO = (
    "person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant, stop sign, "
    "parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe, backpack, umbrella, "
    "handbag, tie, suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball glove, skateboard, "
    "surfboard, tennis racket, bottle, wine glass, cup, fork, knife, spoon, bowl, banana, apple, sandwich, orange, "
    "broccoli, carrot, hot dog, pizza, donut, cake, chair, couch, potted plant, bed, dining table, toilet, tv, laptop, "
    "mouse, remote, keyboard, cell phone, microwave, oven, toaster, sink, refrigerator, book, clock, vase, scissors, "
    "teddy bear, hair drier, toothbrush"
)
_KNOWN = {"voc": VOC_CLASSES, "coco": tuple(_COCO.split(", "))}


def names_of(word: str) -> tuple[str, ...]:
    """The classes that `voc`, `coco`, NAME,NAME,... or a file with a name a line stands for, without a background."""
    names = _KNOWN.get(word) or _read(word)
    foreground = names[1:] if names[0] == BACKGROUND else names
    if twice := [name for i, name in enumerate(foreground) if name in foreground[:i]]:
        raise DetectionError(f"classes={word}: {twice[0]!r} is there twice", choices=("classes",))
    return foreground


def class_names(classes: str | Sequence[str] | None, count: int) -> tuple[str, ...]:
    """The background and the classes: those that a word stands for, a data set's own, or numbers.

    `count` is how many the net tells apart, the background included.
    """
    names = names_of(classes) if isinstance(classes, str) else tuple(classes or ())
    if classes is None:
        names = tuple(f"class {i}" for i in range(1, count))
    foreground = names[1:] if names[:1] == (BACKGROUND,) else names
    if len(foreground) != count - 1:
        given = f"{len(foreground)} classes ({', '.join(foreground[:5])}{', ...' if len(foreground) > 5 else ''})"
        told = f"{given} are named (classes=), but the net tells {count - 1} and the background apart"
        raise DetectionError(told, choices=("classes",))
    return (BACKGROUND, *foreground)


def _read(word: str) -> tuple[str, ...]:
    """The names of a file, or those that the word lists."""
    path = Path(word)
    try:
        text = path.read_text(encoding="utf-8").replace(",", "\n") if path.is_file() else word.replace(",", "\n")
    except UnicodeDecodeError:
        raise DetectionError(f"classes={word}: is no text file of names", choices=("classes",)) from None
    names = [line.strip() for line in text.splitlines() if line.strip()]
    if not names:
        told = f"classes={word}: names nothing; write voc, coco, NAME,NAME,... or a file of names"
        raise DetectionError(told, choices=("classes",))
    if len(names) == 1 and path.suffix and not path.is_file():
        raise DetectionError(f"classes={word}: no such file", choices=("classes",))
    return tuple(names)
