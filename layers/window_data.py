"""WindowData."""

from __future__ import annotations

from math import isfinite
from pathlib import Path

import numpy as np
from torch import Tensor

from .base import Arity, Draws, LayerError, Shape, State, register
from .boxes import DEFAULT_SEED
from .sources import (
    Cut,
    Floats,
    Image,
    SourceLayer,
    Transformation,
    Transformer,
    Window,
    decode,
    parse_windows,
    read_bytes,
)

_CHANNELS = 3
"""Images are read in colour."""


@register("WindowData")
class WindowDataLayer(SourceLayer):
    """Cut batches of windows out of images, as R-CNN is trained on.

    Bottoms: none. Tops: data (N×C×S×S) and label (N), N = batch_size, S = crop_size of transform_param.
    The file `source` lists images and their windows (see `parse_windows`); `root_folder` is put before the names. A
    window whose overlap is fg_threshold or more is foreground and has its class as label; below bg_threshold it is
    background, 0; others are left out. Of a batch the last int(N * fg_fraction) are foreground. Each is drawn with
    replacement, in either phase, and with `mirror` turned left to right by chance.
    crop_mode "warp" or "square" and context_pad say how a window is cut (see `Cut`). Of the pixels the mean is taken
    (mean_value, or the middle of mean_file, where they come to lie) and `scale` multiplies: this layer's own, that of
    transform_param says nothing here, in Caffe neither. Where a crop lies outside of its image it is 0.

    Differs from Caffe: images are read when they are needed, not ahead by a thread.
    """

    messages = ("window_data_param",)
    tops = Arity(2, 2)
    discrete = frozenset({1})
    reads_files = True

    def __init__(
        self,
        *,
        source: str | None = None,
        scale: float = 1.0,
        mean_file: str | None = None,
        batch_size: int | None = None,
        crop_size: int = 0,
        mirror: bool = False,
        fg_threshold: float = 0.5,
        bg_threshold: float = 0.5,
        fg_fraction: float = 0.25,
        context_pad: int = 0,
        crop_mode: str = "warp",
        cache_images: bool = False,
        root_folder: str | None = None,
        transform_param: Transformation | None = None,
        phase: str = "TEST",
        seeds: Draws | None = None,
        folder: Path = Path(),
    ) -> None:
        super().__init__(batch_size)
        self.rule = transform_param or Transformation()
        size = self.rule.crop_size
        if not size:
            raise LayerError("needs a crop_size in its transform_param")
        if 2 * context_pad >= size:
            raise LayerError(f"has context_pad {context_pad} on both sides of a crop_size of {size}")
        if not isfinite(fg_fraction):
            raise LayerError(f"takes fg_fraction of a batch as foreground, which cannot be {fg_fraction}")
        self.num_foreground = int(np.float32(self.batch_size) * np.float32(fg_fraction))
        self.thresholds = np.float32(fg_threshold), np.float32(bg_threshold)
        self.scale, self.cut = np.float32(scale), Cut(size, context_pad, crop_mode == "square")
        self.folder, self.source, self.root_folder = folder, source or "", root_folder or ""
        self.kept: dict[int, bytes] | None = {} if cache_images else None
        self.transformer, self.seeds = Transformer(self.rule, phase), seeds or Draws(DEFAULT_SEED)

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Read the windows."""
        super().setup(*bottoms, num_tops=num_tops)
        # Caffe takes numbers for a transformer that it never uses, before and after this layer's own, and at last one
        # for the reading thread.
        self.transformer.seed(self.seeds)
        self.draws = Draws(self.seeds.number())
        self.transformer.seed(self.seeds)
        self.seeds.number()
        path = self.folder / self.source
        try:
            self.images, windows = parse_windows(read_bytes(path).decode(errors="surrogateescape"))
            self.kinds = self._kinds(windows)
            self.mean = self._mean()
        except LayerError as error:
            raise LayerError(str(error) if str(error).startswith(str(path)) else f"{path}: {error}") from None

    def top_shapes(self, *bottoms: Shape) -> tuple[Shape, ...]:
        """A batch of crops in colour."""
        size = self.rule.crop_size
        return (self.batch_size, _CHANNELS, size, size), (self.batch_size,)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (shape, _) = self.top_shapes()
        batch, labels = np.zeros(shape, np.float32), np.zeros(self.batch_size, np.float32)
        for i in range(self.batch_size):
            is_foreground = i >= self.batch_size - self.num_foreground
            windows = self.kinds[is_foreground]
            window = windows[self.draws.below(len(windows))]
            mirror = self.rule.mirror and self.draws.below(2) == 1
            self._place(window, mirror, batch[i])
            labels[i] = window.label if is_foreground else 0
        return self.give(batch, labels)

    def pass_over(self, batches: int) -> None:
        for _ in range(batches * self.batch_size * (1 + self.rule.mirror)):
            self.draws.number()

    def place(self) -> State:
        return self.draws.place()

    def return_to(self, place: State) -> None:
        self.draws.return_to(place)

    def _kinds(self, windows: list[Window]) -> tuple[list[Window], list[Window]]:
        """Background and foreground."""
        foreground, background = self.thresholds
        kinds = (
            [w for w in windows if w.overlap < min(foreground, background)],
            [w for w in windows if w.overlap >= foreground],
        )
        for name, kind in zip(("background", "foreground"), kinds, strict=True):
            if not kind:
                raise LayerError(f"has no {name} window: each batch draws from both kinds")
        if bad := [w for w in kinds[1] if w.label < 1]:
            raise LayerError(f"has a foreground window of class {bad[0].label}: classes count from 1")
        return kinds

    def _mean(self) -> Floats:
        """What is taken from each pixel of a crop, by its place: C×1×1 or C×S×S."""
        mean = self.rule.means(_CHANNELS)
        if self.rule.mean_file is None:
            return mean
        size, (_, height, width) = self.rule.crop_size, mean.shape
        start = (width - size) // 2
        if start < 0 or start + size > height:
            raise LayerError(f"has a mean_file of {height}×{width}, which the crop of {size}×{size} does not fit into")
        return mean[:, start : start + size, start : start + size]

    def _place(self, window: Window, mirror: bool, crop: Floats) -> None:
        """Fill a crop's part that shows the image."""
        pixels, top, left = self.cut(self._image(window.image), window, mirror)
        _, height, width = pixels.shape
        part = np.s_[:, top : top + height, left : left + width]
        mean = self.mean if self.rule.mean_file is None else self.mean[part]
        crop[part] = (pixels - mean) * self.scale

    def _image(self, index: int) -> Image:
        path = self.folder / (self.root_folder + self.images[index])
        data = (self.kept or {}).get(index) or read_bytes(path)
        if self.kept is not None:
            self.kept[index] = data
        try:
            return decode(data)
        except LayerError as error:
            raise LayerError(f"{path} {error}") from None
