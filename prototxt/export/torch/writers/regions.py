"""ROIPooling and PSROIPooling as PyTorch code."""

from __future__ import annotations

from .....layers import PSROIPoolingLayer, ROIPoolingLayer
from ..code import Code, Site
from ..operations import psroi_pool, roi_pool
from .registry import writes


@writes(ROIPoolingLayer)
def roi_pooling(layer: ROIPoolingLayer, site: Site, features: str, rois: str) -> Code:
    """Max pooling with Caffe's rounding."""
    settings = f"{layer.pooled_h}, {layer.pooled_w}, {layer.spatial_scale!r}"
    return Code(f"roi_pool({features}, {rois}, {settings})", uses=(roi_pool,))


@writes(PSROIPoolingLayer)
def psroi_pooling(layer: PSROIPoolingLayer, site: Site, features: str, rois: str) -> Code:
    """Position-sensitive average pooling with R-FCN's rounding."""
    settings = f"{layer.group_size}, {layer.spatial_scale!r}"
    return Code(f"psroi_pool({features}, {rois}, {settings})", uses=(psroi_pool,))
