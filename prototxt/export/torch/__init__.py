"""A net as plain PyTorch code: a module of its own that needs nothing of ours."""

from .module import write_module, write_python

__all__ = ["write_module", "write_python"]
