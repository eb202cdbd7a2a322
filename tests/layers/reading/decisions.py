"""Layers that count and choose."""

from __future__ import annotations

import numpy as np

from .losses import by_class
from .registry import Array, Given, canonical, reads


@reads("Accuracy")
def accuracy(g: Given) -> list[Array]:
    p = g.layer.accuracy_param
    rows = by_class(g.x, canonical(p.axis, g.x))
    right, seen = np.zeros(rows.shape[1]), np.zeros(rows.shape[1])
    for row, label in zip(rows, g.bottoms[1].astype(int).ravel(), strict=True):
        if not (p.HasField("ignore_label") and label == p.ignore_label):
            seen[label] += 1
            others = np.delete(row, label)
            right[label] += (others >= row[label]).sum() < p.top_k
    return [np.asarray(right.sum() / max(seen.sum(), 1)), right / np.maximum(seen, 1)]


@reads("ArgMax")
def argmax(g: Given) -> list[Array]:
    p = g.layer.argmax_param
    if p.HasField("axis"):
        axis = canonical(p.axis, g.x)
        places = np.flip(np.argsort(g.x, axis, "stable"), axis).take(range(p.top_k), axis)
        return [np.take_along_axis(g.x, places, axis) if p.out_max_val else places]
    items = g.x.reshape(len(g.x), -1)
    places = np.flip(np.argsort(items, 1, "stable"), 1)[:, : p.top_k]
    found = [places, np.take_along_axis(items, places, 1)] if p.out_max_val else [places]
    top = np.stack(found, 1).astype(np.float64)
    return [top.reshape(*top.shape, *[1] * (g.x.ndim - 3))]


@reads("BoxAnnotatorOHEM")
def box_annotator(g: Given) -> list[Array]:
    p = g.layer.box_annotator_ohem_param
    rois, losses, labels, weights = (b.copy() for b in g.bottoms)
    images = rois.reshape(len(rois), 5)[:, 0].astype(int)
    for image in set(images):
        members = [r for r in range(len(rois)) if images[r] == image]
        members.sort(key=lambda r: -losses.reshape(-1)[r])
        for r in members[p.roi_per_img :]:
            labels[r], weights[r] = p.ignore_label, 0
    return [labels, weights]
