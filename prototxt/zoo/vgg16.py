"""VGG16: thirteen 3×3 convolutions, of which the first four stay as they are."""

from __future__ import annotations

from .blocks import TESTED, Layers, Style, conv, max_pool, relu
from .faster_rcnn import Backbone

_STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


def trunk(style: Style) -> Layers:
    """From data (N, 3, H, W) to conv5_3 (N, 512, H/16, W/16)."""
    layers: Layers = []
    blob = "data"
    for stage, widths in enumerate(_STAGES, 1):
        if stage > 1:
            layers.append(max_pool(f"pool{stage - 1}", blob, 2))
            blob = f"pool{stage - 1}"
        for step, width in enumerate(widths, 1):
            name = f"conv{stage}_{step}"
            specs = style.frozen if stage < 3 else style.learned
            layers += [conv(name, blob, width, 3, specs, pad=1), relu(f"relu{stage}_{step}", name)]
            blob = name
    return layers


VGG16 = Backbone(
    name="VGG_ILSVRC_16_layers",
    trunk=trunk,
    feature="conv5_3",
    channels=512,
    rpn_width=512,
    bins=7,
    widths=(4096, 4096),
    tested=TESTED,
    idle=("relu", "drop"),
    idle_filler={"type": "constant", "value": 0},
)
