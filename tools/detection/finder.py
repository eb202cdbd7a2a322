"""What a net finds in a picture, whatever it is good for: objects, or with an RPN alone proposals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...prototxt.net import Net
from ..datasets import BACKGROUND, Pixels
from .detections import Detections
from .detector import Detector
from .proposer import Proposer
from .regions import Boxes
from .selection import Selection


class Finder:
    """Finds objects whose score is above `thresh`, the `most` best of a picture (0: all)."""

    def __init__(self, net: Net, classes: str | Sequence[str] | None, thresh: float, most: int) -> None:
        self.thresh, self.most = thresh, most
        self.detector = self.proposer = None
        if "cls_prob" in net.blob_shapes:
            self.detector = Detector.of(net, classes, Selection.of(net.config, thresh, most))
        else:
            self.proposer = Proposer(net)

    def __call__(self, pixels: Pixels, proposals: Boxes | None) -> Detections:
        """Objects under their classes' names, or proposals under that name."""
        if self.detector:
            return self.detector(pixels, proposals)
        assert self.proposer
        boxes, scores = self.proposer(pixels)
        rows = np.hstack((boxes, scores[:, None]))[scores > self.thresh][: self.most if self.most > 0 else None]
        return Detections((BACKGROUND, "proposal"), (rows[:0], rows))
