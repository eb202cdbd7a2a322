"""A net that only proposes: the RPN alone, as the alternating scheme trains it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ...prototxt.net import Net
from ..datasets import Floats
from .detector import Image, pixels_of
from .errors import DetectionError
from .net_input import NetInput, fed


@dataclass(frozen=True)
class Proposer:
    """An RPN's test net; `Proposer(net)(image)` gives boxes R×4 in pixels of the picture and scores R, the best first.

    The net must give rois; scores are NaN where its proposal layer has no second top for them.
    """

    net: Net

    def __post_init__(self) -> None:
        if "rois" not in self.net.blob_shapes or "im_info" not in self.net.inputs:
            raise DetectionError(f"net {self.net.graph.name!r} proposes nothing: it needs input im_info and blob rois")

    def __call__(self, image: Image) -> tuple[Floats, Floats]:
        """The proposals of a picture."""
        return self.answer(self.input(image))

    def input(self, image: Image) -> NetInput:
        """What the net is fed for a picture; another thread may prepare it ahead."""
        found = NetInput.of(pixels_of(image), self.net.config)
        if len(found.scales) > 1:
            raise DetectionError(f"net {self.net.graph.name!r} proposes at one scale, and TEST.SCALES has more")
        return found

    @torch.no_grad()
    def answer(self, one: NetInput) -> tuple[Floats, Floats]:
        """Boxes and scores."""
        names = {"rois", "scores"} & set(self.net.blob_shapes)
        self.net(fed([one]), keep=names)
        rois = self.net.blobs["rois"].cpu().numpy()
        scores = self.net.blobs["scores"].cpu().numpy().reshape(-1) if "scores" in names else np.full(len(rois), np.nan)
        return rois[:, 1:5] / one.im_info[0, 2], np.asarray(scores, np.float32)
