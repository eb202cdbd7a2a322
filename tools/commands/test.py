"""`recaffe test`: a net's detections over a data set, and how good they are; of an RPN alone its proposals' recall.

Detections are chosen as the originals' test_net does. OUT gets them in VOC's and COCO's formats, the table as JSON and,
with --plot, the curves. A run that broke off goes on where it stood: what is found is kept picture by picture, under a
digest of the net, the weights and the options. `torchrun --nproc-per-node N -m recaffe test ...` shares the
pictures among N processes. A net with proposals of its own takes pictures one by one; --batch is for Fast R-CNN nets.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import add_device, add_net, add_set, allowed, device_of, net_of, set_of
from .errors import CommandError

if TYPE_CHECKING:
    from ...prototxt.net import Net
    from ...prototxt.text import NetText
    from ..datasets import Picture, VocSet
    from ..detection import NamedSet, Task

NAME = "test"
HELP = "detect over a data set and measure: VOC's and COCO's average precision, recall of proposals"
_METRICS = ("07", "area", "coco")
_REPORT = "report.json"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_net(parser, weights=False)
    parser.add_argument("weights", metavar="WEIGHTS", help="the weights, in any format")
    add_set(parser)
    parser.add_argument(
        "--out", default="results", metavar="FOLDER", type=Path, help="where to write (default results)"
    )
    by_variant = "default: the originals', 0.05 and 100, in py-R-FCN -inf and 400"
    parser.add_argument("--thresh", type=float, metavar="P", help=f"scores up to this are dropped ({by_variant})")
    parser.add_argument("--max", type=int, metavar="N", help="the most detections of a picture; 0: all (see --thresh)")
    parser.add_argument(
        "--metric",
        choices=_METRICS,
        help="VOC 2007's eleven points, the area below the curve, or COCO's (default: the data set's own)",
    )
    parser.add_argument("--overlap", type=float, default=0.5, help="what VOC's measure asks for (default 0.5)")
    parser.add_argument("--proposals", metavar="FILE", help="a Fast R-CNN net's proposals, by the pictures' names")
    parser.add_argument("--recall", action="store_true", help="measure the recall of the net's proposals instead")
    parser.add_argument("--batch", type=int, default=1, metavar="N", help="pictures at once (Fast R-CNN nets alone)")
    parser.add_argument("--plot", action="store_true", help="draw the curves, too (needs matplotlib)")
    parser.add_argument("--force", action="store_true", help="replace the results of another run")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    add_device(parser)


def run(args: argparse.Namespace) -> int:
    """Sweep over the pictures, then measure; of several processes the first does that."""
    from ...prototxt.files import whole_file
    from ...prototxt.text import read_net
    from ..detection import Share, Store, Sweep, need_matplotlib

    share, pictures = Share.of_environment(), set_of(args)
    if args.batch < 1:
        raise CommandError(f"--batch {args.batch}: at least 1")
    if args.plot:
        need_matplotlib()
    text = read_net(args.net)
    net = net_of(args, text)
    net.load(args.weights, allow=allowed(args))
    task = _task(args, pictures, net.to(device_of(args)))
    listed = pictures.pictures()
    about = _about(args, text, task, net, listed)
    _refuse_other(args, about)
    store = Store(args.out / f"found-{about['key']}")
    done = sum(store.has(picture.name) for picture in listed)
    if done and not share.rank:
        print(f"{store.folder}: {done} of {len(listed)} pictures are done already", file=sys.stderr)
    seconds = Sweep(task, args.batch).run(listed, store, share)
    if share.rank:
        return 0
    outcome = task.measure({picture.name: store.get(picture.name) for picture in listed}, args.out, args.plot)
    report = json.dumps({**about, **outcome.report}, indent=1)
    with whole_file(args.out / _REPORT, force=True) as part:
        part.write_text(report + "\n", encoding="utf-8")
    tail = f"{len(listed)} pictures{f', {seconds:.3f} s each' if seconds else ''}; {args.out} has the results"
    print(report if args.json else "\n".join([*outcome.lines, tail]))
    return 0


def _task(args: argparse.Namespace, pictures: NamedSet, net: Net) -> Task:
    """What the net is good for, or what is asked for."""
    from ..datasets import CocoSet, read_proposals
    from ..detection import Detecting, Detector, Proposer, Proposing, Selection, need_pycocotools

    if args.recall or "cls_prob" not in net.blob_shapes:
        return Proposing(Proposer(net), pictures)
    detector = Detector.of(net, pictures.classes, Selection.of(net.config, args.thresh, args.max))
    proposals = None
    if args.proposals:
        names = [picture.name for picture in pictures.pictures()]
        proposals = dict(zip(names, read_proposals(args.proposals, names), strict=True))
    metric = args.metric or ("coco" if isinstance(pictures, CocoSet) else _voc_metric(pictures))
    if metric == "coco":
        need_pycocotools()
    return Detecting(detector, pictures, metric, args.overlap, proposals)


def _voc_metric(pictures: VocSet) -> str:
    from ..detection import uses_07

    return "07" if uses_07(pictures.folder) else "area"


def _about(
    args: argparse.Namespace, text: NetText, task: Task, net: Net, pictures: Sequence[Picture]
) -> dict[str, Any]:
    """What the results are of."""
    from ..detection import Detecting, key_of

    built = {"phase": args.phase, "level": args.level, "stages": args.stage, "config": asdict(net.config)}
    key = key_of(text, args.weights, {**built, **task.settings}, (picture.path for picture in pictures))
    about = {"key": key, "net": str(args.net), "weights": str(args.weights), "dataset": str(args.dataset)}
    return about | ({"metric": task.metric, "overlap": task.overlap} if isinstance(task, Detecting) else {})


def _refuse_other(args: argparse.Namespace, about: dict[str, Any]) -> None:
    """Keep results that another run left in OUT, unless they may go."""
    path = args.out / _REPORT
    if args.force or not path.exists():
        return
    try:
        there = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        there = None
    said = there if isinstance(there, dict) else {}
    if unlike := [name for name in ("key", "metric", "overlap") if said.get(name) != about.get(name)]:
        what = {"key": "net, weights, options or pictures differ"}.get(unlike[0], f"{unlike[0]} differs")
        raise CommandError(f"{path}: is of another run (its {what}): --force replaces it, or choose --out")
