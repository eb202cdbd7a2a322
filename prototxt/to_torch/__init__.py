"""A net as plain PyTorch code: a module of its own that needs nothing of ours."""
