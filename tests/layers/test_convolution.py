import pytest
import torch

from recaffe.layers.convolution import ConvolutionLayer
from recaffe.layers.layer import LayerError

from .conftest import CheckGradients, Replay
