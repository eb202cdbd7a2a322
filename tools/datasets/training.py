"""From a set of pictures to the roidb that a net is trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...prototxt.text import Config
from .annotations import PictureSet
from .box_targets import with_targets
from .proposals import read_proposals, tidy, with_proposals
from .roidb import Roidb, chosen, joined, truth_roidb, usable, with_flips


def training_roidb(
    sets: Sequence[PictureSet], config: Config, proposals: Sequence[str | Path] = (), method: str = "rpn"
) -> Roidb:
    """What the originals train on: truths, proposals, flips, without pictures that nothing can be sampled from.

    1. Each set's truths, and after them its proposals, if there is a file of them for each set. Of another `method`
       than rpn only distinct ones that are not small nor within crowds are taken.
    2. With USE_FLIPPED each set's pictures once more, from left to right; then the sets in a row.
    3. Pictures without any foreground or background region are left out.
    4. With BBOX_REG the targets, their means and deviations, from what is left.
    """
    roidbs = []
    for number, pictures in enumerate(sets):
        roidb = truth_roidb(pictures)
        if proposals:
            found = read_proposals(proposals[number], [entry.name for entry in roidb.entries])
            others = method != "rpn"
            roidb = with_proposals(roidb, [tidy(boxes) for boxes in found] if others else found, outside_crowds=others)
        roidbs.append(with_flips(roidb) if config["TRAIN.USE_FLIPPED"] else roidb)
    roidb = joined(roidbs)
    roidb = chosen(roidb, usable(roidb, config))
    return with_targets(roidb, config) if config["TRAIN.BBOX_REG"] and roidb.entries else roidb
