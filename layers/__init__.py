"""One module for each Caffe layer type, and the arithmetic that they share."""

from __future__ import annotations

from .absval import AbsValLayer
from .accuracy import AccuracyLayer
from .anchor_target import AnchorTargetLayer
from .argmax import ArgMaxLayer
from .base import (
    Arity,
    Draws,
    Filler,
    FilteringLayer,
    Layer,
    LayerError,
    Overwritten,
    RecurrentLayer,
    Shape,
    State,
    canonical_axis,
    layer_class,
    random_state,
    register,
    registered,
    set_random_state,
    times,
)
from .batch_norm import BatchNormLayer
from .batch_reindex import BatchReindexLayer
from .bias import BiasLayer, stretch
from .bnll import BNLLLayer
from .box_annotator_ohem import BoxAnnotatorOHEMLayer
from .clip import ClipLayer
from .concat import ConcatLayer
from .convolution import ConvolutionLayer
from .crop import CropLayer
from .deconvolution import DeconvolutionLayer
from .dropout import DropoutLayer
from .eltwise import EltwiseLayer
from .elu import ELULayer
from .embed import EmbedLayer
from .exp import ExpLayer
from .filter import FilterLayer
from .flatten import FlattenLayer
from .hdf5_output import HDF5OutputLayer
from .inner_product import InnerProductLayer
from .log import LogLayer
from .lrn import LRNLayer
from .lstm import LSTMLayer
from .lstm_unit import LSTMUnitLayer
from .memory_data import MemoryDataLayer
from .mvn import MVNLayer
from .parameter import ParameterLayer
from .pooling import Pair, PoolingLayer
from .power import PowerLayer
from .prelu import PReLULayer
from .proposal import TOP_N, ProposalLayer
from .proposal_target import ProposalTargetLayer
from .psroi_pooling import NARROWEST, PSROIPoolingLayer, axis_bins, psroi_pool
from .reduction import ReductionLayer
from .relu import ReLULayer
from .reshape import ReshapeLayer
from .rnn import RNNLayer
from .roi_data import RoIDataLayer
from .roi_pooling import ROIPoolingLayer
from .scale import ScaleLayer
from .sigmoid import SigmoidLayer
from .silence import SilenceLayer
from .slice import SliceLayer
from .smooth_l1_loss import SmoothL1LossLayer
from .softmax import SoftmaxLayer
from .split import SplitLayer
from .spp import SPPLayer
from .swish import SwishLayer
from .tanh import TanHLayer
from .threshold import ThresholdLayer
from .tile import TileLayer

__all__ = [
    "NARROWEST",
    "TOP_N",
    "AbsValLayer",
    "AccuracyLayer",
    "AnchorTargetLayer",
    "ArgMaxLayer",
    "Arity",
    "BNLLLayer",
    "BatchNormLayer",
    "BatchReindexLayer",
    "BiasLayer",
    "BoxAnnotatorOHEMLayer",
    "ClipLayer",
    "ConcatLayer",
    "ConvolutionLayer",
    "CropLayer",
    "DeconvolutionLayer",
    "Draws",
    "DropoutLayer",
    "ELULayer",
    "EltwiseLayer",
    "EmbedLayer",
    "ExpLayer",
    "Filler",
    "FilterLayer",
    "FilteringLayer",
    "FlattenLayer",
    "HDF5OutputLayer",
    "InnerProductLayer",
    "LRNLayer",
    "LSTMLayer",
    "LSTMUnitLayer",
    "Layer",
    "LayerError",
    "LogLayer",
    "MVNLayer",
    "MemoryDataLayer",
    "Overwritten",
    "PReLULayer",
    "PSROIPoolingLayer",
    "Pair",
    "ParameterLayer",
    "PoolingLayer",
    "PowerLayer",
    "ProposalLayer",
    "ProposalTargetLayer",
    "RNNLayer",
    "ROIPoolingLayer",
    "ReLULayer",
    "RecurrentLayer",
    "ReductionLayer",
    "ReshapeLayer",
    "RoIDataLayer",
    "SPPLayer",
    "ScaleLayer",
    "Shape",
    "SigmoidLayer",
    "SilenceLayer",
    "SliceLayer",
    "SmoothL1LossLayer",
    "SoftmaxLayer",
    "SplitLayer",
    "State",
    "SwishLayer",
    "TanHLayer",
    "ThresholdLayer",
    "TileLayer",
    "axis_bins",
    "canonical_axis",
    "layer_class",
    "psroi_pool",
    "random_state",
    "register",
    "registered",
    "set_random_state",
    "stretch",
    "times",
]


def __getattr__(name: str) -> type[Layer]:
    """Any layer class by its own name, those of other modules, too: `from recaffe.layers import ImageDataLayer`."""
    for cls in registered().values() if name.endswith("Layer") else ():
        if cls.__name__ == name:
            return cls
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
