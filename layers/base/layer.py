"""The contract that every layer keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy.typing as npt
import torch
from torch import Tensor, nn

from ...errors import RecaffeError
from .fillers import Filler, FillerError

Shape = tuple[int, ...]
State = Mapping[str, npt.NDArray[Any]]
"""Where something is among its data and random numbers, as arrays by name."""


class LayerError(RecaffeError):
    """A layer cannot be built or run as asked; the net adds the layer's name and its place in the prototxt."""


@dataclass(frozen=True)
class Arity:
    """How many blobs a layer takes or gives: `least` to `most`, None for no limit."""

    least: int = 1
    most: int | None = 1

    def __contains__(self, count: int) -> bool:
        return count >= self.least and (self.most is None or count <= self.most)

    def __str__(self) -> str:
        if self.most is None:
            return f"at least {self.least}"
        return f"{self.least}" if self.least == self.most else f"{self.least} to {self.most}"


@dataclass(frozen=True)
class Overwritten:
    """What Caffe's backward of a layer finds, once in-place layers have written over its top."""

    true_bottom: Tensor
    """What the top was computed from."""
    bottom: Tensor
    """What lies there now: in place what lies at the top, else the true bottom."""
    top: Tensor
    """What lies at the top now."""
    in_place: bool
    """Whether bottom and top are one, their diffs as well."""


class Layer(nn.Module):
    """One Caffe layer: keywords of its schema in, bottoms to tops.

    The constructor's keywords are the fields of the messages named in `messages`, with their defaults: repeated
    fields are tuples, enums their names, shapes tuples of int, fillers `Filler`. A constructor may also name `phase`
    ("TRAIN" or "TEST"), `rng` (a NumPy RandomState), `generator` (torch's), `given` (the names of the fields that are
    set) and the keywords listed in `config`; the net passes them. Layers that read or write files may name `seeds`
    (Caffe's own random numbers), `folder` (from which relative paths lead on), `transform_param` (a Transformation),
    `top_names` and `read_datum`. `setup` is given the bottoms' shapes once and makes the params; `forward` does the
    rest.
    """

    type: ClassVar[str] = ""
    """The name it is registered under."""
    messages: ClassVar[tuple[str, ...]] = ()
    """Fields of LayerParameter whose fields are the constructor's keywords."""
    config: ClassVar[Mapping[str, str]] = {}
    """Constructor keyword -> config key, such as "{phase}.RPN_NMS_THRESH"."""
    bottoms: ClassVar[Arity] = Arity()
    tops: ClassVar[Arity] = Arity()
    paired: ClassVar[bool] = False
    """As many tops as bottoms."""
    is_loss: ClassVar[bool] = False
    """Its first top counts into the net's loss with weight 1 unless the prototxt says otherwise."""
    names_missing_tops: ClassVar[bool] = False
    """Tops that the prototxt leaves out are made all the same, named (automatic)."""
    unforced: ClassVar[frozenset[int]] = frozenset()
    """Bottoms that `force_backward` leaves alone (a loss's labels)."""
    undifferentiable: frozenset[int] = frozenset()
    """Bottoms that cannot get a diff: asking for one is an error, as in Caffe."""
    writes_unasked: ClassVar[bool] = False
    """Its backward writes its bottom's diff even where nothing below needs it (`net.diffs` shows it)."""
    discrete: frozenset[int] = frozenset()
    """Tops that hold decisions (labels, switches): compared exactly."""
    statistics: ClassVar[bool] = False
    """Its params are running statistics: their lr_mult is 0 and may be set to nothing else."""
    same_shape: ClassVar[bool] = False
    """Its tops have its first bottom's shape, whatever that is: known without a forward."""
    keeps_places: ClassVar[bool] = False
    """Each number of its tops belongs to the one at the same place of its first bottom, in another shape or not."""
    keeps_channels: ClassVar[bool] = False
    """Each channel of its tops belongs to one of its first bottom, or to a group of them, in their order."""
    takes_class_scores: ClassVar[bool] = False
    """Its first bottom has a number for each class."""
    reads_files: ClassVar[bool] = False
    """Its tops come from files that its fields name."""
    never_in_place: ClassVar[bool] = False
    """Caffe refuses a top of the bottom's name."""
    fresh_top: ClassVar[bool] = False
    """Its top is new memory that its backward does not read, so an in-place follower may overwrite it."""
    in_place: bool = False
    """Caffe's forward gives in place what it gives apart; other layers read what they have overwritten."""
    backward_reads: frozenset[str] = frozenset()
    """Which data Caffe's backward reads, of what an in-place layer may have overwritten.

    "top": each number of its top for that number's own diff; "whole top": for other numbers' diffs, too. In place also
    "bottom": what it has overwritten itself; "sign": the same, but no more than the sign, which it keeps.
    """
    leaves: frozenset[str] = frozenset()
    """Which of them in-place computing leaves as they were, wherever its own diff is not 0."""
    compiles: bool = False
    """torch.compile makes one program of it: its tops depend on its bottoms and params, and on nothing else."""
    takes_half: bool = False
    """Under torch.autocast it takes and gives half precision; other layers are handed float32, and compute in it."""

    def __init__(self) -> None:
        super().__init__()
        self.num_tops = 1
        self.overwrite = False
        """Set by the net where this layer computes in place and may write into its first bottom."""
        self.param_shapes: list[Shape] = []
        self.fillers: list[Filler] = []

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Check the counts of blobs; layers with params extend this and add them."""
        for have, arity, role in ((len(bottoms), self.bottoms, "bottom"), (num_tops, self.tops, "top")):
            if have not in arity:
                raise LayerError(f"takes {arity} {role} blob(s), got {have}")
        if self.paired and len(bottoms) != num_tops:
            raise LayerError(f"gives one top for each bottom, got {len(bottoms)} bottom(s) and {num_tops} top(s)")
        self.num_tops = num_tops

    def add_param(self, shape: Shape, filler: Filler) -> None:
        """Add the next param, filled unless it is on the meta device, where the filler is only checked."""
        try:
            filler.check(shape)
            param = nn.Parameter(torch.empty(shape))
            filler.fill(param.data)
        except FillerError as error:
            raise LayerError(f"param {len(self.param_shapes)}: {error}") from error
        self.register_parameter(str(len(self.param_shapes)), param)
        self.param_shapes.append(shape)
        self.fillers.append(filler)

    @property
    def params(self) -> list[Tensor]:
        """The params in Caffe's order, each in this layer's own shape (a shared one may be stored in another)."""
        stored = (getattr(self, str(i)) for i in range(len(self.param_shapes)))
        return [p if p.shape == shape else p.view(shape) for p, shape in zip(stored, self.param_shapes, strict=True)]

    def top_shapes(self, *bottoms: Shape) -> tuple[Shape, ...]:
        """The tops' shapes, found by running `forward` without memory; overridden where data decides them."""
        if self.same_shape:
            return (bottoms[0],) * self.num_tops
        # Elementwise arithmetic on the meta device imports torch's compiler, 1.5 s: common layers know their shapes.
        meta = {name: param.to("meta") for name, param in self.named_parameters()}
        with torch.no_grad():
            tops = torch.func.functional_call(self, meta, tuple(torch.empty(b, device="meta") for b in bottoms))
        return tuple(tuple(top.shape) for top in tops)

    def multiply_adds(self, *bottoms: Shape) -> int:
        """Multiply-adds of one forward, counted for the layers where they dominate."""
        return 0

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        """Compute the tops."""
        raise NotImplementedError

    def caffe_backward(self, diff: Tensor, data: Overwritten) -> Tensor:
        """The bottom's diff from the top's, as Caffe computes it where its data is overwritten.

        For layers of one bottom and one top that have `backward_reads`; a net that is to follow Caffe there asks.
        """
        raise NotImplementedError

    def place(self) -> State:
        """Where it is, for a snapshot; nothing where a forward leaves nothing behind for the next."""
        return {}

    def return_to(self, place: State) -> None:
        """Go on from where a layer like this one stood; called once, before the first forward."""
        raise NotImplementedError
