"""How good detections and proposals are: VOC's and COCO's measures, recall, how well anchors fit."""

from .anchor_fit import AnchorSettings, Fit, better, fit, scenes_of
from .coco_measure import CocoIds, measure_coco, need_pycocotools, write_coco_results
from .plots import need_matplotlib, plot_precision, plot_recall
from .recall import Recall
from .set_recall import measure_recall
from .voc_measure import measure_voc, uses_07

__all__ = [
    "AnchorSettings",
    "CocoIds",
    "Fit",
    "Recall",
    "better",
    "fit",
    "measure_coco",
    "measure_recall",
    "measure_voc",
    "need_matplotlib",
    "need_pycocotools",
    "plot_precision",
    "plot_recall",
    "scenes_of",
    "uses_07",
    "write_coco_results",
]
