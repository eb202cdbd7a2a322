"""Mistakes in boxes: how wide they are, how they are rounded, which of them fall."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import torch
from torch import Tensor

from ....layers import TOP_N, AnchorTargetLayer, Layer, ProposalLayer, ProposalTargetLayer, ROIPoolingLayer
from ....layers.boxes import arithmetic as boxes
from .rule import Case, Suspect, altered, rule

_PROPOSAL = "rpn.proposal_layer.ProposalLayer"
_ANCHOR_TARGET = "rpn.anchor_target_layer.AnchorTargetLayer"
_PROPOSAL_TARGET = "rpn.proposal_target_layer.ProposalTargetLayer"


@rule("NMS > or >=", _PROPOSAL)
def suppression(case: Case) -> Iterator[Suspect]:
    """Whether a box falls that overlaps a kept one by the threshold exactly."""
    layer = cast(ProposalLayer, case.layer)
    signs = {True: ">= (the originals on a CPU)", False: "> (the originals on a GPU)"}
    other = not layer.rule.inclusive
    text = f"in the golden a box falls at an overlap {signs[other]} the threshold, in NET {signs[not other]}"
    yield Suspect(text, altered(layer, rule=replace(layer.rule, inclusive=other)))


@rule("+1 widths", _PROPOSAL, _ANCHOR_TARGET, _PROPOSAL_TARGET)
def widths(case: Case) -> Iterator[Suspect]:
    """Boxes as wide as x2 - x1, for all purposes or for the targets alone."""
    text = "the golden's boxes are x2 - x1 wide, Caffe's x2 - x1 + 1"
    if isinstance(case.layer, ProposalLayer | AnchorTargetLayer):
        yield Suspect(text, altered(case.layer, rule=replace(case.layer.rule, plus=0.0)))
    elif isinstance(case.layer, ProposalTargetLayer):
        yield Suspect(text, _targets_without_plus(case.layer))


def _targets_without_plus(layer: ProposalTargetLayer) -> Layer:
    """The layer with the same samples and other targets."""
    return altered(layer, _regress=lambda *rows: _regress(layer, *rows))


def _regress(layer: ProposalTargetLayer, rois: Tensor, matched: Tensor, targets: Tensor, inside: Tensor) -> None:
    # The layer writes where its targets are; the deltas with +1 then give way to those without.
    layer._regress(rois, matched, targets, inside)
    deltas = boxes.transform(rois, matched[:, :4], plus=0.0)
    if layer.normalization:
        means, stds = (torch.tensor(values, dtype=torch.float64) for values in layer.normalization)
        deltas = ((deltas - means) / stds).float()
    rows, columns = (inside.view(len(inside), -1, 4) != 0).any(dim=2).nonzero(as_tuple=True)
    targets.view(len(targets), -1, 4)[rows, columns] = deltas[rows].float()


@rule("the size below which boxes fall", _PROPOSAL)
def smallest(case: Case) -> Iterator[Suspect]:
    """RPN_MIN_SIZE in the picture's pixels or in the input's, or not minded."""
    layer = cast(ProposalLayer, case.layer)
    scale = float(case.bottoms[2].flatten()[2])
    sizes = {"is not minded": 0.0, "is not multiplied by the image's scale": layer.rule.min_size / (scale or 1.0)}
    for text, size in sizes.items():
        if size != layer.rule.min_size:
            yield Suspect(f"in the golden RPN_MIN_SIZE {text}", altered(layer, rule=replace(layer.rule, min_size=size)))


@rule("how many boxes are kept", _PROPOSAL)
def limits(case: Case) -> Iterator[Suspect]:
    """The numbers before and after NMS of the config's other phase, or the originals' own."""
    layer, config = cast(ProposalLayer, case.layer), case.net.config
    pairs = {
        phase: (config[f"{phase}.RPN_PRE_NMS_TOP_N"], config[f"{phase}.RPN_POST_NMS_TOP_N"]) for phase in TOP_N
    } | {f"default {phase}": pair for phase, pair in TOP_N.items()}
    for phase, (before, after) in pairs.items():
        if (before, after) != (layer.rule.pre_nms, layer.rule.post_nms):
            ours = f"{layer.rule.pre_nms} and {layer.rule.post_nms}"
            text = f"the golden keeps {before} boxes before NMS and {after} after it ({phase}), NET {ours}"
            yield Suspect(text, altered(layer, rule=replace(layer.rule, pre_nms=before, post_nms=after)))


@rule("normalised box targets", _PROPOSAL, _ANCHOR_TARGET, _PROPOSAL_TARGET)
def normalised(case: Case) -> Iterator[Suspect]:
    """Targets less their means by their deviations, or plain."""
    layer, config = case.layer, case.net.config
    section = "RPN" if not isinstance(layer, ProposalTargetLayer) else "BBOX"
    pair = tuple(tuple(config[f"TRAIN.{section}_NORMALIZE_{what}"]) for what in ("MEANS", "STDS"))
    plain = getattr(layer, "normalization", None) is None
    words = ("plain", "normalised")
    text = f"the golden's box targets are {words[plain]}, NET's {words[not plain]}"
    yield Suspect(text, altered(layer, normalization=pair if plain else None))


@rule("rounding half to even", "ROIPooling", "PSROIPooling")
def half_to_even(case: Case) -> Iterator[Suspect]:
    """Corners on half a cell rounded as Python and torch do."""
    layer = case.layer
    text = "the golden rounds half a cell to the even one, Caffe away from zero"
    scale = layer.spatial_scale if isinstance(layer, ROIPoolingLayer) else 1.0

    def rounded(features: Tensor, rois: Tensor) -> tuple[Tensor, ...]:
        corners = torch.cat((rois[:, :1], (rois[:, 1:] * scale).round() / scale), dim=1)
        return layer(features, corners)  # type: ignore[no-any-return]

    yield Suspect(text, rounded)
