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
from . import blob_kinds as kinds
from .blob_kinds import BlobKind, Index, Items, binned

_BOX_LOSSES = {"SmoothL1Loss", "SmoothL1LossOHEM"}
_POOLINGS = (ROIPoolingLayer, PSROIPoolingLayer)


class Vocabulary:
    """The kind of every blob of a net: blobs that carry the same thing on form a group, which has one kind."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self._group: dict[str, str] = {}
        self._kinds: dict[str, BlobKind] = {}
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

    def kind(self, blob: str, shape: Shape | None = None) -> BlobKind:
        """What a blob holds; one without a role of its own is described by its shape."""
        shape = self._shapes.get(blob, ()) if shape is None else shape
        known = self._kinds.get(self._root(blob))
        if known is not None:
            return known
        name = ("channel {}" if len(shape) == 4 else "output {}").format
        if blob in self._per_roi:
            return Items("RoI", name, "bin ({}, {})")
        return Items("image" if len(shape) == 4 else "item", name)

    def blob(self, name: str, index: Index, shape: Shape) -> str:
        """The words for a place in a blob."""
        return self.kind(name, shape).at(index, shape)

    def is_rois(self, blob: str) -> bool:
        """Whether a blob's rows are RoIs: image and corners."""
        return self._kinds.get(self._root(blob)) is kinds.ROIS

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

    def _output(self, node: Node) -> kinds.Name:
        """The words for an output of a layer: its number, unless it means more."""
        known = self._kinds.get(self._root(node.tops[0]))
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

    def _teach(self, blob: str, kind: BlobKind) -> None:
        self._kinds.setdefault(self._root(blob), kind)

    def _teach_detection(self, node: Node, layer: Layer) -> None:
        """What the layers of detection nets take and give."""
        found: list[tuple[str, BlobKind]] = []
        if isinstance(layer, ProposalLayer):
            count = len(layer.anchors)
            taken: tuple[BlobKind, ...] = (kinds.scores_of(count), kinds.deltas_of(count), kinds.IMAGE_INFO)
            found += zip(node.bottoms, taken, strict=False)
            found += zip(node.tops, (kinds.ROIS, kinds.ROI_SCORE), strict=False)
        elif isinstance(layer, AnchorTargetLayer):
            count = len(layer.anchors)
            if self._shapes[node.bottoms[0]][1:2] == (2 * count,):
                found.append((node.bottoms[0], kinds.scores_of(count)))
            found += zip(node.bottoms[1:], (kinds.TRUTHS, kinds.IMAGE_INFO), strict=False)
            found += zip(node.tops, (kinds.labels_of(count), *[kinds.deltas_of(count)] * 3), strict=False)
        elif isinstance(layer, ProposalTargetLayer):
            found += zip(node.bottoms, (kinds.ROIS, kinds.TRUTHS), strict=False)
            given: tuple[BlobKind, ...] = (kinds.ROIS, Items("RoI"), *[kinds.ROI_BOXES] * 3)
            found += zip(node.tops, given, strict=False)
        elif isinstance(layer, _POOLINGS):
            found = [(node.bottoms[1], kinds.ROIS)]
        for blob, kind in found:
            self._teach(blob, kind)

    def _teach_heads(self, node: Node, layer: Layer) -> None:
        """Scores are what a softmax or a loss of classes takes, boxes what a smooth L1 loss takes."""
        if layer.takes_class_scores:
            self._teach(node.bottoms[0], self._classes(node.bottoms[0]))
        elif node.type in _BOX_LOSSES and node.bottoms[0] in self._per_roi:
            for blob in node.bottoms:
                self._teach(blob, kinds.ROI_BOXES)

    def _classes(self, blob: str) -> BlobKind:
        return kinds.ROI_CLASSES if blob in self._per_roi else kinds.CLASSES

    def _teach_outputs(self) -> None:
        """An output of a net without losses that has four columns for each class, or eight, holds boxes."""
        scores = {blob for blob in self._shapes if self._kinds.get(self._root(blob)) is kinds.ROI_CLASSES}
        counts = {4 * self._shapes[blob][1] for blob in scores if len(self._shapes[blob]) > 1} | {8}
        for blob in self.net.outputs:
            if blob in self._per_roi and len(self._shapes[blob]) > 1 and self._shapes[blob][1] in counts:
                self._teach(blob, kinds.ROI_BOXES)

    def _teach_position_sensitive(self, node: Node, layer: Layer) -> None:
        """The map of an R-FCN has a channel for each bin of what its pooling gives."""
        if isinstance(layer, PSROIPoolingLayer):
            name = self.kind(node.tops[0]).channel
            self._teach(node.bottoms[0], Items("image", partial(binned, layer.group_size, name)))


def _matrix_words(layer: InnerProductLayer, output: kinds.Name, index: Index, bottom: Shape) -> str:
    """An output and the input that it takes; of a map by channel and place."""
    row, column = index[::-1] if layer.transpose else index
    place = np.unravel_index(column, bottom[layer.axis :])
    if len(place) != 3:
        return f"{output(row)}, input {column}"
    return f"{output(row)}, input channel {place[0]}, row {place[1]}, column {place[2]}"


def _filter_words(layer: FilteringLayer, output: kinds.Name, index: Index) -> str:
    """An output, the channel that it takes, and a place in the kernel."""
    # A deconvolution's filters have their inputs first.
    row, column, *cell = (index[1], index[0], *index[2:]) if isinstance(layer, DeconvolutionLayer) else index
    told = f", row {cell[0]}, column {cell[1]}" if len(cell) == 2 else f", at {cell}"
    return f"{output(row)}, input channel {column}{told if prod(layer.param_shapes[0][2:]) > 1 else ''}"
