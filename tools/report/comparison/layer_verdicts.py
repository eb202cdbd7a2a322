"""What a comparison says of each layer of a net: wrong by itself, differing, the same, or not looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ....golden import BlobResult
from ....golden.diagnosis import Blame, BlobFinding, Comparison, FieldDifference, ParamDifference
from ....prototxt.net import Node

SIGNS = {"wrong": "✖", "differs": "▲", "same": "✓", "unseen": "–"}
_WORDS = {"wrong": "wrong by itself", "unseen": "not compared"}


@dataclass(frozen=True)
class LayerVerdict:
    """One layer, and all that was found about it."""

    name: str
    node: Node | None
    """None for a layer that only the golden has, and for results of no layer."""
    kind: str
    """wrong, differs, same or unseen."""
    first: bool
    """Whether the verdict names it."""
    shade: int
    """Of one that is the same: 0 exactly, 1 by less than a tenth of what is allowed, 2 by more."""
    findings: dict[str, dict[str, BlobFinding]]
    """By the blob's key, then by mode: chain or isolated."""
    blames: tuple[Blame, ...]
    fields: tuple[FieldDifference, ...]
    params: tuple[ParamDifference, ...]
    maker: str = ""
    """Of one that computes in place and has no finding of its own: the layer that made its blob, which has them."""

    @property
    def type(self) -> str:
        """The layer's type."""
        return self.node.type if self.node else self.blames[0].type if self.blames else ""

    @property
    def results(self) -> list[BlobResult]:
        """Of all its blobs in all modes."""
        return [finding.result for modes in self.findings.values() for finding in modes.values()]

    @property
    def blob_kind(self) -> str:
        """How its blobs stand, whoever is to blame."""
        return "unseen" if not self.results else "same" if all(result.ok for result in self.results) else "differs"

    @property
    def words(self) -> str:
        """The verdict in words."""
        if self.maker and self.kind != "wrong":
            return f"compared with {self.maker}, whose blob it computes in place"
        if self.kind == "unseen" and self.node and not self.node.bottoms:
            return "fed"
        if self.kind == "differs" and self.blob_kind == "same":
            return "its weights differ, its blobs do not"
        if self.kind == "differs":
            return f"differs in use, by {self.largest:.2g} of its magnitude"
        if self.kind != "same":
            return _WORDS[self.kind]
        return "exactly the same" if self.shade == 0 else f"the same within {self.largest:.1e}"

    @property
    def largest(self) -> float:
        """The largest difference of its blobs, in parts of their magnitudes."""
        return max((result.relative for result in self.results), default=0.0)


def layer_verdicts(nodes: Sequence[Node], comparison: Comparison) -> list[LayerVerdict]:
    """A net's layers in its order, without splits that Caffe adds; then the names that only findings know."""
    found: dict[str, dict[str, dict[str, BlobFinding]]] = defaultdict(lambda: defaultdict(dict))
    for mode, findings in (("chain", comparison.chain), ("isolated", comparison.isolated)):
        for finding in findings:
            found[finding.layer][finding.result.key][mode] = finding
    named = {**dict.fromkeys(found), **{blame.layer: None for blame in comparison.blames}}
    named |= dict.fromkeys(layer for fact in comparison.fields if (layer := fact.layer))
    named |= dict.fromkeys(fact.layer for fact in comparison.params)
    own = [node for node in nodes if not node.inserted]
    others = sorted(named.keys() - {node.name for node in own}, key=list(named).index)
    pairs = [(node.name, node) for node in own] + [(name, None) for name in others]
    # Findings go to the first of several layers with one name.
    taken: set[str] = set()
    verdicts = [_verdict(name, node, comparison, {} if name in taken else found[name], taken) for name, node in pairs]
    return list(_in_place(verdicts))


def _in_place(verdicts: Sequence[LayerVerdict]) -> Iterator[LayerVerdict]:
    """Layers that have no finding of their own, since their blob's go to who made it, get that one's verdict."""
    makers: dict[str, LayerVerdict] = {}
    for verdict in verdicts:
        node = verdict.node
        if node is not None and node.tops and node.overwrites(0) and not verdict.findings:
            maker = makers[node.tops[0]]
            own = verdict.kind if verdict.kind in ("wrong", "differs") else maker.blob_kind
            verdict = replace(verdict, kind=own, shade=maker.shade, maker=maker.name)
        elif node is not None:
            makers.update(dict.fromkeys(node.tops, verdict))
        yield verdict


def _verdict(
    name: str,
    node: Node | None,
    comparison: Comparison,
    findings: dict[str, dict[str, BlobFinding]],
    taken: set[str],
) -> LayerVerdict:
    again = name in taken
    taken.add(name)
    blames = () if again else tuple(blame for blame in comparison.blames if blame.layer == name)
    fields = () if again else tuple(field for field in comparison.fields if field.layer == name)
    params = () if again else tuple(param for param in comparison.params if param.layer == name)
    results = [finding.result for modes in findings.values() for finding in modes.values()]
    first = bool(name) and name == comparison.verdict.layer
    if blames:
        kind = "wrong"
    elif params or any(not result.ok for result in results):
        kind = "differs"
    else:
        kind = "same" if results else "unseen"
    parts = max((r.relative / r.allowed if r.allowed else float(r.relative > 0) for r in results), default=0.0)
    shade = 0 if parts == 0 else 1 if parts < 0.1 else 2
    return LayerVerdict(name, node, kind, first, shade, findings, blames, fields, params)
