"""Mistakes in how a picture became the net's input."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from .rule import Case, Suspect, rule

_SCALES = (255.0, 128.0, 127.5, 1 / 0.017, 256.0)
"""What pictures are divided by."""


@rule("order of the image's channels")
def order(case: Case) -> Iterator[Suspect]:
    """BGR or RGB."""
    yield from _with_image(case, "the golden's image has its channels in reverse order (BGR and RGB)", _reversed)


@rule("mean of the image")
def mean(case: Case) -> Iterator[Suspect]:
    """The mean left out, taken twice, or taken in RGB order from a BGR image."""
    means = torch.tensor(case.net.config["PIXEL_MEANS"]).view(1, 3, 1, 1)
    shifts = {
        "the golden's image still has its mean": means,
        "the mean was taken from the golden's image twice": -means,
        "the golden's image is less the mean in the order RGB, NET's in BGR": means - means.flip(1),
        "the golden's image is less the mean in the order BGR, NET's in RGB": means.flip(1) - means,
    }
    for text, shift in shifts.items():
        yield from _with_image(case, text, partial(torch.add, shift))


@rule("scale of the image")
def scale(case: Case) -> Iterator[Suspect]:
    """Values to 255, or to 1."""
    for number in _SCALES:
        for factor, what in ((1 / number, "divided"), (number, "multiplied")):
            text = f"the golden's image is {what} by {number:.4g}, NET's is not"
            yield from _with_image(case, text, partial(torch.mul, torch.tensor(factor)))


@rule("mean and scale of a data layer")
def transformation(case: Case) -> Iterator[Suspect]:
    """One factor for all and one shift for each channel, fitted to the golden."""
    image = _made(case)
    if image is None or image.shape != case.run.golden[case.node.tops[0]].shape:
        return
    have, want = image, case.run.golden[case.node.tops[0]]
    for text, x in (("", have), ("with its channels in reverse order, ", have.flip(1))):
        centred = x - x.mean((0, 2, 3), keepdim=True)
        factor = float((centred * want).sum() / centred.square().sum().clamp(min=1e-30))
        shift = (want - factor * x).mean((0, 2, 3), keepdim=True)
        numbers = ", ".join(f"{s:.4g}" for s in shift.flatten().tolist())
        told = f"the golden's blob is ours {text}times {factor:.6g}, plus ({numbers})"
        yield Suspect(told, partial(_instead, case, x * factor + shift))


def _reversed(image: Tensor) -> Tensor:
    return image.flip(1)


def _with_image(case: Case, text: str, change: Callable[[Tensor], Tensor]) -> Iterator[Suspect]:
    """The layer on another image, where its first bottom is one: an input of the net with three channels."""
    node, nodes = case.node, case.net.nodes
    fed = {top for other in nodes if not other.bottoms for top in other.tops}
    fed |= {top for other in nodes if other.type == "Split" and fed & set(other.bottoms) for top in other.tops}
    image = _made(case)
    if image is not None and _is_image(image):
        yield Suspect(text, partial(_instead, case, change(image)))
    elif node.bottoms and node.type != "Split" and node.bottoms[0] in fed and _is_image(case.bottoms[0]):
        yield Suspect(text, lambda x, *rest: case.layer(change(x), *rest))


def _is_image(blob: Tensor) -> bool:
    return blob.dim() == 4 and blob.shape[1] == 3


def _made(case: Case) -> Tensor | None:
    """The image that a layer of data gave; it would give another if it were run again."""
    if case.node.bottoms or not case.node.tops or any(top not in case.run.tops for top in case.node.tops):
        return None
    image = case.run.tops[case.node.tops[0]]
    return image if image.dim() == 4 else None


def _instead(case: Case, image: Tensor) -> tuple[Tensor, ...]:
    """The layer's tops with another image."""
    return (image, *(case.run.tops[top] for top in case.node.tops[1:]))
