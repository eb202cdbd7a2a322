"""The proof that a written file is the net that it was made of: by its values, and by running both."""

from .model import load_model, prove
from .surgery import compare_changed
from .trial import needs_data, run_both
from .weights import compare_params

__all__ = ["compare_changed", "compare_params", "load_model", "needs_data", "prove", "run_both"]
