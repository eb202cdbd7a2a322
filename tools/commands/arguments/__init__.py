"""What commands share: arguments, and a library's words in those of the command line."""

from .flags import in_flags, told, told_of_case
from .options import (
    add_config,
    add_device,
    add_dialect,
    add_faithful_inplace,
    add_means,
    add_net,
    add_set,
    allowed,
    changed_config,
    config_of,
    device_of,
    input_shapes,
    means_of,
    net_of,
    set_of,
)
from .sides import add_sides, files_of, subject_of
from .told_command import told_command

__all__ = [
    "add_config",
    "add_device",
    "add_dialect",
    "add_faithful_inplace",
    "add_means",
    "add_net",
    "add_set",
    "add_sides",
    "allowed",
    "changed_config",
    "config_of",
    "device_of",
    "files_of",
    "in_flags",
    "input_shapes",
    "means_of",
    "net_of",
    "set_of",
    "subject_of",
    "told",
    "told_command",
    "told_of_case",
]
