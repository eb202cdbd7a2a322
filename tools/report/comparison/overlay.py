"""RoIs of both sides over the image that they were found in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ....golden.diagnosis import RoiMatch
from ..html import Html, address, element

Array = npt.NDArray[Any]
_SIDE, _SAME, _DIFFERING = 520, 300, 20
"""Pixels of the stored image's longer side; RoIs drawn that both sides have; those lost, added and moved, of each."""


def find_image(blobs: Mapping[str, Array]) -> Array | None:
    """The image N×C×H×W among the blobs that a net is fed, `data` where there is one."""
    images = {name: b for name, b in blobs.items() if b.ndim == 4 and b.shape[1] in (1, 3) and min(b.shape[2:]) > 8}
    return images.get("data", next(iter(images.values()), None))


def store_image(image: Array, name: str) -> Html:
    """The first image in calm grey, once for all overlays, which refer to it by name."""
    pixels = np.nan_to_num(image[0].astype(np.float32)).mean(axis=0)  # (C, H, W) -> (H, W)
    low, high = np.percentile(pixels, (1, 99))
    pale = np.clip((pixels - low) / (high - low or 1), 0, 1) * 150 + 80
    height, width = pale.shape
    scale = min(1.0, _SIDE / max(height, width))
    small = cv2.resize(pale, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    content = cv2.imencode(".jpg", small.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 70])[1].tobytes()
    picture = element("image", href=address(content, "jpeg"), width=width, height=height, preserveAspectRatio="none")
    stored = element("symbol", picture, id=name, viewBox=f"0 0 {width} {height}")
    return element("svg", stored, width=0, height=0, class_="store", aria_hidden="true")


def overlay(want: Array, have: Array, match: RoiMatch | None, image: Array, name: str) -> Html | None:
    """The RoIs of the first image of both sides, (N, 5) with corners in its pixels."""
    sides = [rois.reshape(len(rois), -1) for rois in (want, have)]
    if any(rois.shape[1] != 5 for rois in sides):
        return None
    height, width = image.shape[2:]
    golden, ours, more = _differing(match)
    # What is the same on both sides is drawn once.
    marks = [_box(sides[0][i], "same", f"RoI {i}") for i in _same(sides[0], match)]
    for rois, rows, side in ((sides[0], golden, "golden"), (sides[1], ours, "ours")):
        marks += [_box(rois[i], f"{side} {what}", f"{side}'s RoI {i}: {what}") for i, what in rows.items()]
    told = str(match) if match is not None else f"{len(sides[0])} RoIs, the same on both sides"
    told += f"; {more} of those that differ are not drawn" if more else ""
    back = element("use", href=f"#{name}", width=width, height=height)
    shown = min(1.0, _SIDE / max(height, width))
    zoom = max(1.0, 320 / max(height, width)) if shown == 1.0 else shown
    size = {"width": width * zoom, "height": height * zoom, "viewBox": f"0 0 {width} {height}"}
    drawing = element("svg", back, marks, role="img", aria_label=f"RoIs on the image: {told}", class_="rois", **size)
    keys = [("same", "on both sides"), ("golden", "the golden's, lost or moved"), ("ours", "ours, added or moved")]
    legend = element("p", [[element("span", text, class_=f"key {kind}"), " "] for kind, text in keys], class_="legend")
    return element("figure", drawing, element("figcaption", told, legend))


def _differing(match: RoiMatch | None) -> tuple[dict[int, str], dict[int, str], int]:
    """The rows of each side that the other lacks or has elsewhere, as far as they are drawn; how many are not."""
    if match is None:
        return {}, {}, 0
    moved = match.moved[:_DIFFERING]
    golden = {roi.row: "lost" for roi in match.lost[:_DIFFERING]} | {roi.golden: "moved" for roi in moved}
    ours = {roi.row: "added" for roi in match.added[:_DIFFERING]} | {roi.ours: "moved" for roi in moved}
    counts = (len(match.lost), len(match.added), len(match.moved))
    return golden, ours, sum(max(0, count - _DIFFERING) for count in counts)


def _same(rois: Array, match: RoiMatch | None) -> list[int]:
    """The golden's rows of the first image that ours has, too."""
    but = {roi.row for roi in match.lost} | {roi.golden for roi in match.moved} if match is not None else set()
    first = [i for i in range(len(rois)) if i not in but and rois[i, 0] == 0 and np.isfinite(rois[i]).all()]
    return first[:_SAME]


def _box(roi: Array, kind: str, told: str) -> Html:
    x1, y1, x2, y2 = (float(corner) for corner in np.nan_to_num(roi[1:]))
    size = {"x": x1, "y": y1, "width": max(0.0, x2 - x1 + 1), "height": max(0.0, y2 - y1 + 1)}
    return element("rect", element("title", told), class_=kind, **size)
