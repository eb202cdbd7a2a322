"""Sums, products and matrices, and what counts and chooses."""

from __future__ import annotations

from ..draw import Dice, Drawn, Feed, Shape, draws

XAVIER = {"type": "xavier"}


def stretching(shape: Shape, of: Dice) -> tuple[dict[str, int], Shape]:
    """The fields of an operand that is stretched, and its shape as a bottom."""
    first = of.upto(0, len(shape) - 1)
    count = of.upto(0, len(shape) - first)
    axis = first if of.chance(0.7) else first - len(shape)
    to_end = first + count == len(shape) and count and of.chance(0.5)
    return {"axis": axis, "num_axes": -1 if to_end else count}, shape[first : first + count]


@draws("Bias")
def bias(shape: Shape, of: Dice) -> Drawn:
    fields, own = stretching(shape, of)
    others = [Feed(own)] if own and of.chance(0.3) else []
    return Drawn({"bias_param": fields}, others)


@draws("Scale")
def scale(shape: Shape, of: Dice) -> Drawn:
    fields, own = stretching(shape, of)
    others = [Feed(own)] if own and of.chance(0.3) else []
    return Drawn({"scale_param": {**fields, **of.some(bias_term=True)}}, others)


@draws("Eltwise")
def eltwise(shape: Shape, of: Dice) -> Drawn:
    more = of.upto(1, 2)
    operation = of.one(("SUM", "PROD", "MAX"))
    fields = {"operation": operation, **of.some(stable_prod_grad=of.chance(0.5))}
    fed = of.upto(0, more)
    if operation == "SUM" and of.chance(0.5):
        fields["coeff"] = [of.number(-2, 2) for _ in range(1 + more)]
    return Drawn({"eltwise_param": fields}, [Feed(shape)] * fed, again=more - fed, in_place=False)


@draws("InnerProduct")
def inner_product(shape: Shape, of: Dice) -> Drawn:
    fields = {"num_output": of.upto(1, 5), "axis": of.axis(len(shape)), "weight_filler": XAVIER}
    return Drawn(
        {"inner_product_param": {**fields, **of.some(bias_term=of.chance(0.5), transpose=True)}}, in_place=False
    )


@draws("Reduction")
def reduction(shape: Shape, of: Dice) -> Drawn:
    fields = {"operation": of.one(("SUM", "ASUM", "SUMSQ", "MEAN")), "axis": of.axis(len(shape))}
    return Drawn({"reduction_param": {**fields, **of.some(coeff=of.number(-2, 2))}}, in_place=False)


@draws("Accuracy")
def accuracy(shape: Shape, of: Dice) -> Drawn:
    axis = of.axis(len(shape))
    at = axis % len(shape)
    labels = Feed((*shape[:at], *shape[at + 1 :]) or (1,), "whole", shape[at])
    fields = {"axis": axis, **of.some(top_k=of.upto(1, shape[at]), ignore_label=of.upto(0, shape[at]))}
    return Drawn({"accuracy_param": fields}, [labels], tops=of.upto(1, 2), read_on=0)


@draws("ArgMax")
def argmax(shape: Shape, of: Dice) -> Drawn:
    most = of.one((True, False))
    if of.chance(0.5):
        axis = of.axis(len(shape))
        fields = {"axis": axis, "top_k": of.upto(1, shape[axis]), "out_max_val": most}
    else:
        items = 1
        for length in shape[1:]:
            items *= length
        fields = {"top_k": of.upto(1, items), "out_max_val": most}
    return Drawn({"argmax_param": fields}, read_on=0, in_place=False)


@draws("BoxAnnotatorOHEM")
def box_annotator(shape: Shape, of: Dice) -> Drawn | None:
    if len(shape) != 4 or shape[1:] != (5, 1, 1):
        return None  # rois
    n = shape[0]
    others = [Feed((n, 1, 1, 1)), Feed((n, 1, 1, 1), "whole", 4), Feed((n, of.upto(1, 8), 1, 1), "flags")]
    fields = {"roi_per_img": of.upto(1, n), **of.some(ignore_label=of.one((-1, 0)))}
    return Drawn({"box_annotator_ohem_param": fields}, others, tops=2, read_on=0)
