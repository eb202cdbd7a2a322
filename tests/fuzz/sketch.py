"""A net that grows layer by layer, as the dice fall."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from recaffe.errors import RecaffeError
from recaffe.layers import layer_class
from recaffe.prototxt.caffe_pb2 import LayerParameter, NetParameter
from recaffe.prototxt.net import Net
from recaffe.prototxt.text import print_text, read_net

from .case import Case
from .draw import DRAWS, Dice, Drawn, Feed, Shape


class Sketch:
    """What there is so far: the message, its inputs, and the blobs that others may read on."""

    def __init__(self, seed: str, phase: str, of: Dice) -> None:
        self.net, self.seed, self.phase, self.of = NetParameter(name="fuzz"), seed, phase, of
        self.feeds: dict[str, Feed] = {}
        self.blobs: dict[str, Shape] = {}
        self.refused: list[str] = []
        """What was drawn and is no legal net, by type."""

    def case(self) -> Case:
        return Case(self.net, self.phase, self.seed, dict(self.feeds))

    def start(self, shape: Shape) -> None:
        """An input, and behind it a param for each number: its diff is that of the first blob."""
        data = self.feed(Feed(shape))
        self.add("start", "Scale", [data], ["blob"], scale_param={"axis": 0, "num_axes": -1, "bias_term": True})
        self.blobs["blob"] = shape

    def feed(self, feed: Feed) -> str:
        """A new input."""
        name = f"in{len(self.feeds)}"
        self.feeds[name] = feed
        self.add(name, "Input", [], [name], input_param={"shape": [{"dim": feed.shape}]})
        return name

    def add(self, name: str, kind: str, bottoms: Sequence[str], tops: Sequence[str], **fields: Any) -> LayerParameter:
        self.net.layer.append(LayerParameter(name=name, type=kind, bottom=bottoms, top=tops, **fields))
        return self.net.layer[-1]

    def grow(self, kind: str) -> bool:
        """Set a layer on one of the blobs that suit it, if there is one and Caffe would take it."""
        suiting = [
            (blob, drawn) for blob, shape in self.blobs.items() if shape and (drawn := DRAWS[kind](shape, self.of))
        ]
        return bool(suiting) and self.place(kind, *self.of.one(suiting))

    def place(self, kind: str, blob: str, drawn: Drawn) -> bool:
        before, feeds = len(self.net.layer), dict(self.feeds)
        alike = [other for other, shape in self.blobs.items() if shape == self.blobs[blob]]
        bottoms = [
            blob,
            *(self.of.one(alike) for _ in range(drawn.again)),
            *(self.feed(other) for other in drawn.others),
        ]
        name = f"{kind.lower()}{before}"
        in_place = drawn.in_place and len(bottoms) == drawn.tops == 1 and self.of.chance(0.4)
        taken = {bottom for layer in self.net.layer for bottom in layer.bottom if bottom not in layer.top}
        in_place = in_place and not layer_class(kind).never_in_place and blob not in taken | self.feeds.keys()
        tops = [blob] if in_place else [f"{name}_{top}" for top in range(drawn.tops)]
        layer = self.add(name, kind, bottoms, tops, **drawn.fields)
        self._spice(layer)
        shapes = self._shapes(kind)
        if shapes is None:
            del self.net.layer[before:]
            self.feeds = feeds
            return False
        if not layer_class(kind).is_loss and not any(layer.loss_weight):
            self.blobs |= {top: shapes[top] for top in tops[: drawn.read_on]}
        return True

    def _spice(self, layer: LayerParameter) -> None:
        """What any layer may have: frozen params, bottoms that pass nothing down."""
        learned = ("Convolution", "Deconvolution", "InnerProduct", "PReLU", "Scale", "Bias", "LSTM", "RNN")
        if layer.type in learned and self.of.chance(0.15):
            layer.param.add(lr_mult=0)
        passing = [bottom not in self.feeds for bottom in layer.bottom]
        if any(passing) and self.of.chance(0.1):
            layer.propagate_down.extend(passes and self.of.chance(0.5) for passes in passing)

    def _shapes(self, kind: str) -> dict[str, Shape] | None:
        try:
            return Net(read_net(print_text(self.net)), self.phase).blob_shapes
        except RecaffeError as error:
            self.refused.append(f"{kind}: {error}")
            return None

    def absent(self) -> None:
        """A layer of the other phase, which this net leaves out."""
        other = "TEST" if self.phase == "TRAIN" else "TRAIN"
        name = f"absent{len(self.net.layer)}"
        blob = self.of.one(self.blobs)
        in_place = self.of.chance(0.5)
        self.add(
            name, "Power", [blob], [blob if in_place else name], include=[{"phase": other}], power_param={"scale": 3}
        )

    def twin(self) -> None:
        """A second layer with the params of the last, on any blob of the same shape."""
        layer = self.net.layer[-1]
        learned = {"Convolution", "Deconvolution", "InnerProduct", "PReLU", "Scale", "Bias", "LSTM", "RNN"}
        if layer.type not in learned or len(layer.top) != 1 or layer.bottom[0] == layer.top[0]:
            return
        alike = [blob for blob, shape in self.blobs.items() if shape == self.blobs.get(layer.bottom[0])]
        count = len(Net(read_net(print_text(self.net)), self.phase).layer(layer.name).param_shapes)
        if not alike or not count or layer.param:
            return
        for i in range(count):
            layer.param.add(name=f"{layer.name}_shared{i}")
        twin = self.net.layer.add()
        twin.CopyFrom(layer)
        twin.name, twin.bottom[0], twin.top[0] = f"{layer.name}_twin", self.of.one(alike), f"{layer.name}_twin_0"
        shapes = self._shapes(layer.type)
        if shapes is None:
            del self.net.layer[-1]
        elif layer.top[0] in self.blobs:
            self.blobs[twin.top[0]] = shapes[twin.top[0]]

    def close(self) -> None:
        """Let blobs that nobody takes count into the loss, most of them."""
        for blob in Net(read_net(print_text(self.net)), self.phase).outputs:
            if blob not in self.blobs:
                # Caffe's oddities with a loss that another layer reads: one that counts by default and that Silence
                # alone reads passes nothing down, and of several weights of a layer the others are lost.
                maker = next(layer for layer in self.net.layer if blob in layer.top)
                counts = len(maker.top) == len(maker.loss_weight) == 1
                if (counts or (not layer_class(maker.type).is_loss and not maker.loss_weight)) and self.of.chance(0.2):
                    self.add(f"silence_{blob}", "Silence", [blob], [])
                continue
            weight = self.of.one((1, 0.5, 2, -1))
            if not self.blobs[blob]:
                self.add(f"sum_{blob}", "Power", [blob], [f"sum_{blob}"], loss_weight=[weight])
            elif self.of.chance(0.2):
                self.add(f"sum_{blob}", "Reduction", [blob], [f"sum_{blob}"], loss_weight=[weight])
            elif self.of.chance(0.9):
                self.add(
                    f"loss_{blob}",
                    "EuclideanLoss",
                    [blob, self.feed(Feed(self.blobs[blob]))],
                    [f"loss_{blob}"],
                    loss_weight=[weight],
                )
