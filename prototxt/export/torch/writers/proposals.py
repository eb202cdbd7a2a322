"""The proposal layer as PyTorch code."""

from __future__ import annotations

from .....layers import ProposalLayer
from ...refusals import TURNS_BACK, ExportError
from ..code import Code, Site
from ..operations import Proposal
from .registry import writes


@writes(ProposalLayer)
def proposal(layer: ProposalLayer, site: Site, probabilities: str, deltas: str, im_info: str) -> Code:
    """A module that holds the anchors of one cell."""
    if layer.normalization:
        raise ExportError(TURNS_BACK)
    rule = layer.rule
    rows = "".join(f"    {row},\n" for row in layer.anchors.base.tolist())
    settings = {
        "feat_stride": layer.anchors.feat_stride,
        "pre_nms_top_n": rule.pre_nms,
        "post_nms_top_n": rule.post_nms,
        "nms_bound": rule.bound,
        "min_size": rule.min_size,
    }
    made = f"Proposal(\n    [\n{rows.replace('    [', '        [')}    ],\n"
    made += "".join(f"    {name}={value!r},\n" for name, value in settings.items()) + ")"
    scores = "" if layer.num_tops > 1 else "[0]"
    return Code(f"{site.me}({probabilities}, {deltas}, {im_info}){scores}", made, uses=(Proposal,))
