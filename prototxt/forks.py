"""The forks of Caffe: which fields of our schema each of them has, and under which numbers.

Our schema (caffe.proto) is the union of all of theirs. Writers and whoever tells files apart take a fork's fields and
numbers from here, and so do the reader's hints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fork:
    """A fork: what it lacks of our schema, and what it numbers otherwise.

    Names are `Message.field` and, of an enum inside a message, `Message.VALUE`.
    """

    name: str
    lacks: frozenset[str]
    numbers: Mapping[str, int] = field(default_factory=dict)
    owner: str = ""
    """Whose a field is called that BVLC's Caffe lacks and this fork has."""


def whose(name: str) -> str:
    """Whose a field is that BVLC's Caffe lacks; empty where BVLC has it."""
    if name not in FORKS["bvlc"].lacks:
        return ""
    return " and ".join(fork.owner for fork in FORKS.values() if fork.owner and name not in fork.lacks)


def _names(*tables: Mapping[str, str]) -> frozenset[str]:
    return frozenset(f"{message}.{word}" for t in tables for message, words in t.items() for word in words.split())


_SSD = {
    "LayerParameter": "annotated_data_param multibox_loss_param permute_param prior_box_param detection_output_param "
    "detection_evaluate_param norm_param video_data_param",
    "TransformationParameter": "resize_param noise_param emit_constraint crop_h crop_w distort_param expand_param",
    "SolverParameter": "plateau_winsize show_per_class_result eval_type ap_version",
    "SolverState": "minimum_loss iter_last_event",
}
_BVLC_LATE = {
    "LayerParameter": "swish_param clip_param",
    "InfogainLossParameter": "axis",
    "PoolingParameter": "round_mode",
}
_RCNN = "roi_pooling_param smooth_l1_loss_param"
_RFCN = "psroi_pooling_param box_annotator_ohem_param"
_MIL = "mil_data_param mil_param"
_ALL_RCNN = {
    "LayerParameter": f"{_RCNN} {_RFCN} {_MIL}",
    "DropoutParameter": "scale_train",
    "LossParameter": "pre_fixed_normalizer PRE_FIXED",
}
_PRE_FIXED = {"LossParameter.PRE_FIXED": 3, "LossParameter.NONE": 4}

FORKS = {
    fork.name: fork
    for fork in (
        Fork("bvlc", _names(_SSD, _ALL_RCNN)),
        Fork(
            "fast-rcnn",
            _names(
                _SSD,
                _BVLC_LATE,
                {
                    "LayerParameter": f"batch_norm_param elu_param bias_param scale_param input_param crop_param "
                    f"parameter_param recurrent_param {_RFCN} {_MIL}",
                    "ArgMaxParameter": "axis",
                    "ConvolutionParameter": "axis force_nd_im2col dilation",
                    "InnerProductParameter": "transpose",
                    "LRNParameter": "engine",
                    "LossParameter": "normalization pre_fixed_normalizer",
                },
            ),
            owner="Fast R-CNN's",
        ),
        Fork(
            "microsoft",
            _names(_SSD, _BVLC_LATE),
            {"LayerParameter.roi_pooling_param": 147, "LayerParameter.smooth_l1_loss_param": 148, **_PRE_FIXED},
            owner="Microsoft Caffe's",
        ),
        Fork(
            "caffe-rfcn",  # Microsoft Caffe's, with other numbers: what it has is not called its own
            _names(_SSD, _BVLC_LATE, {"LayerParameter": f"recurrent_param {_MIL}"}),
            {"LayerParameter.psroi_pooling_param": 10001, "LayerParameter.box_annotator_ohem_param": 10000}
            | _PRE_FIXED,
        ),
        Fork("ssd", _names(_ALL_RCNN, _BVLC_LATE), owner="SSD's"),
    )
}
"""py-faster-rcnn's Caffe is fast-rcnn, py-R-FCN's is microsoft."""
