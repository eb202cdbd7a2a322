"""Who makes a blob and who reads it, in a prototxt with the layers of every phase."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from ...layers import registered
from ..caffe_pb2 import LayerParameter, NetParameter


@dataclass
class Way:
    """What a layer's top passes through, and where that ends."""

    layers: list[LayerParameter] = field(default_factory=list)
    ends: list[LayerParameter] = field(default_factory=list)
    """Layers that take the result as their first bottom."""
    is_open: bool = False
    """Whether a blob on the way is an output."""


class Wiring:
    """The layers by the blobs that they make and read."""

    def __init__(self, net: NetParameter) -> None:
        self.makers: dict[str, list[LayerParameter]] = defaultdict(list)
        self.readers: dict[str, list[LayerParameter]] = defaultdict(list)
        # A head may stand before them; of unknown types, Python layers among them, nothing is known.
        self._passing = {name for name, layer_type in registered().items() if layer_type.keeps_channels}
        for layer in net.layer:
            for blob in layer.top:
                self.makers[blob].append(layer)
            for blob in layer.bottom:
                self.readers[blob].append(layer)

    def behind(self, blob: str) -> tuple[list[LayerParameter], list[LayerParameter]]:
        """The layers that give a blob its channels, and those that it passed through since."""
        found: list[LayerParameter] = []
        passed: list[LayerParameter] = []
        blobs = [blob]
        for name in blobs:
            for layer in self.makers[name]:
                if not any(layer is other for other in found + passed):
                    passes = layer.type in self._passing
                    (passed if passes else found).append(layer)
                    blobs += layer.bottom[:1] if passes else []
        return found, passed

    def way(self, layer: LayerParameter) -> Way:
        """From a layer on, as far as its channels stay apart."""
        way, blobs = Way(), list(layer.top)
        for blob in blobs:
            in_place = 0
            for reader in self.readers[blob]:
                in_place += blob in reader.top
                if reader.type not in self._passing or reader.bottom[0] != blob:
                    way.ends += [reader] if reader.bottom[0] == blob else []
                elif not any(reader is other for other in way.layers):
                    way.layers.append(reader)
                    blobs += [top for top in reader.top if top not in blobs]
            way.is_open |= in_place == len(self.readers[blob])
        return way
