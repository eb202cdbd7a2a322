"""Words for places in a net's blobs and params, found by following the layers, not by the blobs' names."""

from __future__ import annotations

from functools import partial
from math import prod

import numpy as np

from ....layers import (
    AnchorTargetLayer,
    BatchNormLayer,
    DeconvolutionLayer,
    FilteringLayer,
    InnerProductLayer,
    Layer,
    ProposalLayer,
    ProposalTargetLayer,
    PSROIPoolingLayer,
    ROIPoolingLayer,
    Shape,
)
from ....prototxt.net import Net, Node
from . import meanings
from .meanings import Index, Items, Meaning, binned

_BOX_LOSSES = {"SmoothL1Loss", "SmoothL1LossOHEM"}
_POOLINGS = (ROIPoolingLayer, PSROIPoolingLayer)


class Vocabulary:
    """The meaning of every blob of a net: blobs that carry the same thing on form a group, which has one meaning."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self._group: dict[str, str] = {}
        self._meanings: dict[str, Meaning] = {}
        self._per_roi: set[str] = set()
        self._shapes = net.blob_shapes
        for step in net.steps:
            self._carry(step.node, step.layer)
        for step in net.steps:
            self._teach_detection(step.node, step.layer)
        for step in net.steps:
            self._teach_heads(step.node, step.layer)
        self._teach_outputs()
        for step in net.steps:
            self._teach_position_sensitive(step.node, step.layer)

    def meaning(self, blob: str, shape: Shape | None = None) -> Meaning:
        """What a blob holds; one without a role of its own is described by its shape."""
        shape = self._shapes.get(blob, ()) if shape is None else shape
        known = self._meanings.get(self._root(blob))
        if known is not None:
            return known
        name = ("channel {}" if len(shape) == 4 else "output {}").format
        if blob in self._per_roi:
            return Items("RoI", name, "bin ({}, {})")
        return Items("image" if len(shape) == 4 else "item", name)

    def blob(self, name: str, index: Index, shape: Shape) -> str:
        """The words for a place in a blob."""
        return self.meaning(name, shape).at(index, shape)

    def is_rois(self, blob: str) -> bool:
        """Whether a blob's rows are RoIs: image and corners."""
        return self._meanings.get(self._root(blob)) is meanings.ROIS

    def param(self, layer: str, number: int, index: Index) -> str:
        """The words for a place in a param."""
        step = next((step for step in self.net.steps if step.node.name == layer), None)
        if step is None:
            return f"at {list(index)}"
        node, made = step.node, step.layer
        if isinstance(made, BatchNormLayer):
            sums = ("the mean of channel {}", "the variance of channel {}", "the weight of the sums")
            return sums[number].format(*index)
        if isinstance(made, InnerProductLayer) and number == 0:
            return _matrix_words(made, self._output(node), index, self._shapes[node.bottoms[0]])
        if isinstance(made, FilteringLayer) and number == 0:
            return _filter_words(made, self._output(node), index)
        return f"channel {index[0]}" if node.type == "Scale" else self._single(node, made, index)

    def _single(self, node: Node, layer: Layer, index: Index) -> str:
        if isinstance(layer, FilteringLayer | InnerProductLayer):
            return self._output(node)(index[0])
        return f"at {list(index)}" if index else "the only value"

    def _output(self, node: Node) -> meanings.Name:
        """The words for an output of a layer: its number, unless it means more."""
        known = self._meanings.get(self._root(node.tops[0]))
        return known.channel if known is not None else "output {}".format

    # --- groups

    def _root(self, blob: str) -> str:
        while blob in self._group:
            blob = self._group[blob]
        return blob

    def _carry(self, node: Node, layer: Layer) -> None:
        # An average over a RoI's bins means what the bins mean.
        votes = node.type == "Pooling" and self._shapes[node.tops[0]][2:] == (1, 1) and node.bottoms[0] in self._per_roi
        if isinstance(layer, (*_POOLINGS, ProposalLayer, ProposalTargetLayer)) or set(node.bottoms) & self._per_roi:
            self._per_roi.update(node.tops)
        if node.bottoms and (layer.keeps_places or layer.same_shape or votes):
            for top in node.tops:
                root, own = self._root(node.bottoms[0]), self._root(top)
                if root != own:
                    self._group[own] = root

    def _teach(self, blob: str, meaning: Meaning) -> None:
        self._meanings.setdefault(self._root(blob), meaning)

    def _teach_detection(self, node: Node, layer: Layer) -> None:
        """What the layers of detection nets take and give."""
        means: list[tuple[str, Meaning]] = []
        if isinstance(layer, ProposalLayer):
            count = len(layer.anchors)
            taken: tuple[Meaning, ...] = (meanings.scores_of(count), meanings.deltas_of(count), meanings.IMAGE_INFO)
            means += zip(node.bottoms, taken, strict=False)
            means += zip(node.tops, (meanings.ROIS, meanings.ROI_SCORE), strict=False)
        elif isinstance(layer, AnchorTargetLayer):
            count = len(layer.anchors)
            if self._shapes[node.bottoms[0]][1:2] == (2 * count,):
                means.append((node.bottoms[0], meanings.scores_of(count)))
            means += zip(node.bottoms[1:], (meanings.TRUTHS, meanings.IMAGE_INFO), strict=False)
            means += zip(node.tops, (meanings.labels_of(count), *[meanings.deltas_of(count)] * 3), strict=False)
        elif isinstance(layer, ProposalTargetLayer):
            means += zip(node.bottoms, (meanings.ROIS, meanings.TRUTHS), strict=False)
            given: tuple[Meaning, ...] = (meanings.ROIS, Items("RoI"), *[meanings.ROI_BOXES] * 3)
            means += zip(node.tops, given, strict=False)
        elif isinstance(layer, _POOLINGS):
            means = [(node.bottoms[1], meanings.ROIS)]
        for blob, meaning in means:
            self._teach(blob, meaning)

    def _teach_heads(self, node: Node, layer: Layer) -> None:
        """Scores are what a softmax or a loss of classes takes, boxes what a smooth L1 loss takes."""
        if layer.takes_class_scores:
            self._teach(node.bottoms[0], self._classes(node.bottoms[0]))
        elif node.type in _BOX_LOSSES and node.bottoms[0] in self._per_roi:
            for blob in node.bottoms:
                self._teach(blob, meanings.ROI_BOXES)

    def _classes(self, blob: str) -> Meaning:
        return meanings.ROI_CLASSES if blob in self._per_roi else meanings.CLASSES

    def _teach_outputs(self) -> None:
        """An output of a net without losses that has four columns for each class, or eight, holds boxes."""
        scores = {blob for blob in self._shapes if self._meanings.get(self._root(blob)) is meanings.ROI_CLASSES}
        counts = {4 * self._shapes[blob][1] for blob in scores if len(self._shapes[blob]) > 1} | {8}
        for blob in self.net.outputs:
            if blob in self._per_roi and len(self._shapes[blob]) > 1 and self._shapes[blob][1] in counts:
                self._teach(blob, meanings.ROI_BOXES)

    def _teach_position_sensitive(self, node: Node, layer: Layer) -> None:
        """The map of an R-FCN has a channel for each bin of what its pooling gives."""
        if isinstance(layer, PSROIPoolingLayer):
            name = self.meaning(node.tops[0]).channel
            self._teach(node.bottoms[0], Items("image", partial(binned, layer.group_size, name)))


def _matrix_words(layer: InnerProductLayer, output: meanings.Name, index: Index, bottom: Shape) -> str:
    """An output and the input that it takes; of a map by channel and place."""
    row, column = index[::-1] if layer.transpose else index
    place = np.unravel_index(column, bottom[layer.axis :])
    if len(place) != 3:
        return f"{output(row)}, input {column}"
    return f"{output(row)}, input channel {place[0]}, row {place[1]}, column {place[2]}"


def _filter_words(layer: FilteringLayer, output: meanings.Name, index: Index) -> str:
    """An output, the channel that it takes, and a place in the kernel."""
    # A deconvolution's filters have their inputs first.
    row, column, *cell = (index[1], index[0], *index[2:]) if isinstance(layer, DeconvolutionLayer) else index
    told = f", row {cell[0]}, column {cell[1]}" if len(cell) == 2 else f", at {cell}"
    return f"{output(row)}, input channel {column}{told if prod(layer.param_shapes[0][2:]) > 1 else ''}"
