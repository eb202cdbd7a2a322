"""What training prints and writes: a bar, a table, lines of JSON, curves, and TensorBoard where that is installed."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

from tqdm import tqdm

from ...prototxt.files import whole_file
from ...prototxt.solving import Progress, Record, Snapshot
from .trainer import losses_of

_HEAD = ("iter", "lr", "loss", "smoothed_loss")


class TrainLog:
    """Takes a solver's records while it is entered: FOLDER/train.csv and .jsonl get a line each, the bar the latest.

    Lines of iterations that a resumed training does again are dropped. `curves` draws what the table has.
    """

    def __init__(self, folder: Path, start: int, end: int, quiet: bool = False) -> None:
        self.folder, self.rows = folder, _rows_before(folder / "train.jsonl", start)
        self.bar = tqdm(total=end, initial=start, unit="it", disable=quiet, dynamic_ncols=True, smoothing=0.1)
        self._board = _board(folder)

    def __enter__(self) -> TrainLog:
        self._rewrite()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.close()
        if self._board is not None:
            self._board.close()

    def tell(self, record: Record) -> None:
        """Take one record."""
        if isinstance(record, Snapshot):
            self.bar.write(f"iteration {record.iter}: {record.weights}")
        elif isinstance(record, Progress):
            losses = losses_of(list(record.outputs.items()))
            row = dict(zip(_HEAD, (record.iter, record.lr, record.loss, record.smoothed_loss), strict=True)) | losses
            self._add(row)
            self.bar.set_postfix_str(f"loss {record.smoothed_loss:.4f}, lr {record.lr:.2g}", refresh=False)

    def _add(self, row: dict[str, float]) -> None:
        self.rows.append(row)
        with (self.folder / "train.jsonl").open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(row) + "\n")
        if len(self.rows) == 1 or list(row) != list(self.rows[0]):
            self._rewrite()
        else:
            with (self.folder / "train.csv").open("a", encoding="utf-8", newline="") as table:
                csv.DictWriter(table, list(row)).writerow(row)
        for name, value in row.items() if self._board is not None else ():
            if name != "iter":
                self._board.add_scalar(name, value, int(row["iter"]))

    def _rewrite(self) -> None:
        """Both files, as far as the rows go."""
        with whole_file(self.folder / "train.jsonl", force=True) as part:
            part.write_text("".join(json.dumps(row) + "\n" for row in self.rows), encoding="utf-8")
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        with whole_file(self.folder / "train.csv", force=True) as part, part.open("w", newline="") as table:
            writer = csv.DictWriter(table, names)
            if names:
                writer.writeheader()
            writer.writerows(self.rows)

    def curves(self) -> Path | None:
        """Draw the losses, smoothed, over the iterations as a picture; nothing without matplotlib or rows."""
        if find_spec("matplotlib") is None or not self.rows:
            return None
        path = self.folder / "train.png"
        _draw(path, self.rows)
        return path


def _rows_before(path: Path, start: int) -> list[dict[str, float]]:
    """The rows of earlier runs, up to where this one begins."""
    if not path.exists() or not start:
        return []
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}"))
    return [row for row in rows if row["iter"] < start]


def _board(folder: Path) -> Any:
    if find_spec("tensorboard") is None:
        return None
    from torch.utils.tensorboard import SummaryWriter  # here, as it takes long to import

    return SummaryWriter(str(folder / "tensorboard"))


def _draw(path: Path, rows: list[dict[str, float]]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.add_subplot()
    names = [name for name in rows[-1] if name not in ("iter", "lr", "loss")]
    for name in names:
        points = [(row["iter"], row[name]) for row in rows if name in row]
        values = _smoothed([value for _, value in points])
        width = 2.2 if name == "smoothed_loss" else 1.1
        axes.plot([at for at, _ in points], values, linewidth=width, label=name.replace("_", " "))
    axes.set(xlabel="iteration", ylabel="loss", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend()
    with whole_file(path, force=True) as part:
        figure.savefig(part, format="png", metadata={"Software": ""})


def _smoothed(values: list[float], share: float = 0.9) -> list[float]:
    """A running mean that forgets: one minibatch says little."""
    smoothed, mean = [], values[0] if values else 0.0
    for value in values:
        mean = share * mean + (1 - share) * value
        smoothed.append(mean)
    return smoothed


def summary(row: Mapping[str, float]) -> str:
    """A row in a few words."""
    return ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in row.items() if name != "iter")
