"""What a trained net finds, and how good it is: detections, VOC's and COCO's measures, recall, anchors."""

from .detections import Detections
from .detector import Detector
from .device import device_of
from .drawing import drawn, save_picture
from .errors import DetectionError
from .finder import Finder
from .measures import AnchorSettings, Fit, better, fit, need_matplotlib, need_pycocotools, scenes_of, uses_07
from .names import class_names
from .proposer import Proposer
from .regions import Boxes
from .selection import Selection
from .sets import Detecting, NamedSet, Proposing, Share, Store, Sweep, Task, key_of, named_set
from .shapes_demo import SCENES, draw_found, shapes_detector

__all__ = [
    "SCENES",
    "AnchorSettings",
    "Boxes",
    "Detecting",
    "DetectionError",
    "Detections",
    "Detector",
    "Finder",
    "Fit",
    "NamedSet",
    "Proposer",
    "Proposing",
    "Selection",
    "Share",
    "Store",
    "Sweep",
    "Task",
    "better",
    "class_names",
    "device_of",
    "draw_found",
    "drawn",
    "fit",
    "key_of",
    "named_set",
    "need_matplotlib",
    "need_pycocotools",
    "save_picture",
    "scenes_of",
    "shapes_detector",
    "uses_07",
]
