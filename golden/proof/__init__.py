"""The proof that a written file is the net that it was made of: by its values, and by running both."""

from .model import load_model, prove
from .operation import compare_changed
from .weights import compare_params, needs_data, run_both

__all__ = ["compare_changed", "compare_params", "load_model", "needs_data", "prove", "run_both"]
