"""From prototxt and weights to a net: text, upgrade, graph, params, the net itself."""

from .caffe_pb2 import LayerParameter, NetParameter, SolverParameter
from .errors import PrototxtError

__all__ = ["LayerParameter", "NetParameter", "PrototxtError", "SolverParameter"]
