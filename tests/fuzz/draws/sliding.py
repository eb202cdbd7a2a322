"""Layers of windows: kernels, strides over them, pads near them, dilations from 0 on."""

from __future__ import annotations

from typing import Any

from ..draw import Dice, Drawn, Feed, Shape, draws

XAVIER = {"type": "xavier"}


def window(size: Shape, of: Dice, dilated: bool = True) -> dict[str, Any]:
    kernel = [of.upto(1, min(4, length + 1)) for length in size]
    fields: dict[str, Any] = {"kernel_size": kernel, "stride": [of.upto(1, 4) for _ in size]}
    fields["pad"] = [of.upto(0, k) if of.chance(0.6) else 0 for k in kernel]
    fields["dilation"] = [of.one((1, 1, 1, 2, 3, 0)) for _ in size] if dilated else []
    if len(size) == 2 and of.chance(0.3):  # the older spelling
        for name in ("kernel", "stride", "pad"):
            pair = fields.pop("kernel_size" if name == "kernel" else name)
            fields |= {f"{name}_h": pair[0], f"{name}_w": pair[1]}
    elif of.chance(0.3):
        fields = {name: numbers[:1] for name, numbers in fields.items()}
    return fields


@draws("Convolution", "Deconvolution")
def convolution(shape: Shape, of: Dice) -> Drawn | None:
    if len(shape) < 2:
        return None
    axis = of.upto(0, len(shape) - 2) if of.chance(0.3) else 1
    size = shape[axis + 1 :]
    if not 1 <= len(size) <= 4:
        return None
    group = of.one(n for n in range(1, shape[axis] + 1) if shape[axis] % n == 0)
    fields = {**window(size, of), "group": group, "num_output": group * of.upto(1, 3), "weight_filler": XAVIER}
    fields |= {"axis": axis - len(shape) if of.chance(0.2) else axis, **of.some(bias_term=False, force_nd_im2col=True)}
    more = of.upto(0, 1) if of.chance(0.2) else 0
    return Drawn({"convolution_param": fields}, again=more, tops=1 + more, in_place=False)


@draws("Im2col")
def im2col(shape: Shape, of: Dice) -> Drawn | None:
    if len(shape) < 3:
        return None
    axis = of.upto(0, len(shape) - 2) if of.chance(0.3) else 1
    return Drawn({"convolution_param": {**window(shape[axis + 1 :], of), "axis": axis}}, in_place=False)


@draws("Pooling")
def pooling(shape: Shape, of: Dice) -> Drawn | None:
    if len(shape) != 4:
        return None
    pool = of.one(("MAX", "MAX", "AVE"))
    tops = of.upto(1, 2) if pool == "MAX" else 1
    if of.chance(0.1):
        return Drawn({"pooling_param": {"pool": pool, "global_pooling": True}}, tops=tops, read_on=1, in_place=False)
    kernel = [of.upto(1, min(5, length + 1)) for length in shape[2:]]
    pad = [of.upto(0, k - 1) if of.chance(0.6) else 0 for k in kernel]
    stride = [of.upto(1, 4) for _ in kernel]
    fields: dict[str, Any] = {"pool": pool, **of.some(round_mode=of.one(("CEIL", "FLOOR")))}
    for name, pair in (("kernel", kernel), ("stride", stride), ("pad", pad)):
        if pair[0] == pair[1] and of.chance(0.7):
            fields["kernel_size" if name == "kernel" else name] = pair[0]
        else:
            fields |= {f"{name}_h": pair[0], f"{name}_w": pair[1]}
    return Drawn({"pooling_param": fields}, tops=tops, read_on=1, in_place=False)


@draws("SPP")
def spp(shape: Shape, of: Dice) -> Drawn | None:
    fields = {"pyramid_height": of.upto(1, 3), "pool": of.one(("MAX", "AVE"))}
    return Drawn({"spp_param": fields}, in_place=False) if len(shape) == 4 else None


@draws("ROIPooling")
def roi_pooling(shape: Shape, of: Dice) -> Drawn | None:
    fields = {"pooled_h": of.upto(1, 5), "pooled_w": of.upto(1, 5), "spatial_scale": of.one((1, 0.5, 0.0625, 0.3))}
    rois = Feed((of.upto(1, 4), 5), "rois", shape[0])
    return Drawn({"roi_pooling_param": fields}, [rois], in_place=False) if len(shape) == 4 else None


@draws("PSROIPooling")
def psroi_pooling(shape: Shape, of: Dice) -> Drawn | None:
    if len(shape) != 4:
        return None
    size = of.one(n for n in range(1, 4) if shape[1] % n**2 == 0)
    fields = {"output_dim": shape[1] // size**2, "group_size": size, "spatial_scale": of.one((1, 0.5, 0.0625, 0.3))}
    rois = Feed((of.upto(1, 4), 5), "rois", shape[0])
    return Drawn({"psroi_pooling_param": fields}, [rois], in_place=False)
