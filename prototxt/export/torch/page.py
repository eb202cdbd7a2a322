"""The page that a written module is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from .linked import Linked

_ALWAYS = {
    "from pathlib import Path",
    "import torch",
    "from torch import Tensor, nn",
    "from safetensors.torch import load_file",
}
_LIBRARY = ("import torch", "from torch", "from safetensors")
_PAGE = '''"""{title}, a net of Caffe's, as a PyTorch module.

    net = load()  # its weights lie beside it
    outputs = net({arguments})

Takes float32 tensors: {inputs}; images may have other sizes.
Gives the outputs by the names of Caffe's blobs; a dict handed in as `keep` is filled with every blob.
Each line of `forward` is a layer of the prototxt, whose name and type stand beside it.
"""

from __future__ import annotations

{standard}

{library}

WEIGHTS = Path(__file__).with_suffix(".safetensors")
{definitions}

class Net(nn.Module):
    """The net."""

    def __init__(self) -> None:
        super().__init__()
{made}

    def forward(self, {typed}, keep: dict[str, Tensor] | None = None) -> dict[str, Tensor]:
        """Run every layer."""
{ran}
        if keep is not None:
            keep.update(
                {{
{kept}
                }}
            )
        return {{{outputs}}}


def load(weights: str | Path = WEIGHTS) -> Net:
    """The net with its weights, ready to run."""
    net = Net().eval()
    net.load_state_dict(load_file(weights))
    return net
'''


def quoted(blob: str) -> str:
    """A name as a string literal."""
    return json.dumps(blob, ensure_ascii=False)


def page(
    title: str,
    linked: Linked,
    arguments: Mapping[str, str],
    made: Sequence[str],
    ran: Sequence[str],
    kept: Mapping[str, str],
    outputs: Mapping[str, str],
) -> str:
    """The text: `arguments` are variables and their shapes; `kept` and `outputs` blobs and their variables."""
    functions = {"from torch.nn import functional as F"} if any("F." in line for line in ran) else set()
    imports = _ALWAYS | functions | (linked.imports - {"from torch import Tensor", "from torch import nn"})
    standard = sorted(line for line in imports if not line.startswith(_LIBRARY))
    library = sorted(imports - set(standard), key=lambda line: (line.startswith("from"), line))
    return _PAGE.format(
        title=title.replace("\\", "/").replace('"""', "'''"),
        arguments=", ".join(arguments),
        inputs=", ".join(f"{variable} ({shape})" for variable, shape in arguments.items()) or "nothing",
        standard="\n".join(standard),
        library="\n".join(library),
        definitions="".join(f"\n\n{text}\n" for text in linked.definitions.values()),
        made="\n".join(f"        {line}" for line in made),
        typed=", ".join(f"{variable}: Tensor" for variable in arguments),
        ran="\n".join(f"        {line}" for line in ran),
        kept="\n".join(f"                    {quoted(blob)}: {variable}," for blob, variable in kept.items()),
        outputs=", ".join(f"{quoted(blob)}: {variable}" for blob, variable in outputs.items()),
    )
