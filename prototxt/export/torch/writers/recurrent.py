"""LSTM, RNN and LSTMUnit as PyTorch code."""

from __future__ import annotations

from .....layers import LSTMLayer, LSTMUnitLayer, RecurrentLayer, RNNLayer
from ..code import Code, Site, arguments
from ..steps import LSTM, RNN, lstm_unit
from .registry import writes

_STEP_PARAMS = {"LSTM": ("recurrent",), "RNN": ("recurrent", "output.weight", "output.bias")}


@writes(LSTMLayer, RNNLayer)
def recurrent(layer: RecurrentLayer, site: Site, *bottoms: str) -> Code:
    """A module with a loop over time; a run starts from zeros where Caffe's goes on from the last one."""
    names = ("weight", "bias", *(("static",) if layer.has_static else ()), *_STEP_PARAMS[layer.type])
    state = dict(zip(names, layer.params, strict=True))
    static = state["static"].shape[1] if layer.has_static else None
    made = f"{layer.type}({arguments(state['weight'].shape[1], layer.num_output, static=static)})"
    last = "[0]" if layer.num_tops == 1 else ""
    return Code(f"{site.me}({', '.join(bottoms)}){last}", made, state, (LSTM if layer.type == "LSTM" else RNN,))


@writes(LSTMUnitLayer)
def unit(layer: LSTMUnitLayer, site: Site, cells: str, gates: str, cont: str) -> Code:
    """One step."""
    return Code(f"lstm_unit({cells}, {gates}, {cont})", uses=(lstm_unit,))
