"""How each type is drawn: a function for each that sees a blob's shape and throws dice for fields and other bottoms."""

from __future__ import annotations

from . import arithmetic, arrangement, losses, norms, numbers, recurrent, sliding

FAMILIES = (arrangement, arithmetic, losses, norms, numbers, recurrent, sliding)
