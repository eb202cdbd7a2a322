"""The prototxt as text: read, upgraded to today's form, printed; and the config that goes with it."""

from .config import VARIANTS, Config, variant_of
from .param_str import read_param_str, write_param_str
from .read import NetText, is_text, print_text, read_net, read_solver
from .upgrade import V1_TYPES_BY_NUMBER, upgrade_net

__all__ = [
    "V1_TYPES_BY_NUMBER",
    "VARIANTS",
    "Config",
    "NetText",
    "is_text",
    "print_text",
    "read_net",
    "read_param_str",
    "read_solver",
    "upgrade_net",
    "variant_of",
    "write_param_str",
]
