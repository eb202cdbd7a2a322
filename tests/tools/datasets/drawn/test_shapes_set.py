from __future__ import annotations

from pathlib import Path

from recaffe.tools.datasets.annotations.voc import VocSet
from recaffe.tools.datasets.checkup.set_checkup import check_voc
from recaffe.tools.datasets.drawn.scenes import SHAPES
from recaffe.tools.datasets.drawn.shapes_set import write_shapes


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_set_is_whole_and_the_same_each_time(tmp_path: Path) -> None:
    counts = write_shapes(tmp_path / "a", 12, seed=5)
    report = check_voc(tmp_path / "a", (), 3)
    assert report.findings == []
    assert sum(counts.values()) == report.objects
    write_shapes(tmp_path / "b", 12, seed=5)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    write_shapes(tmp_path / "b", 16, seed=5, force=True)
    assert files(tmp_path / "a").items() - files(tmp_path / "b").items() == {
        (name, content) for name, content in files(tmp_path / "a").items() if name.startswith("ImageSets")
    }


def test_its_lists(tmp_path: Path) -> None:
    write_shapes(tmp_path / "a", 8, seed=5)
    sets = {name: VocSet(tmp_path / "a", name) for name in ("trainval", "test")}
    assert sets["test"].classes == ("__background__", *SHAPES)
    assert [name for name, _ in sets["test"].names()] == ["000004", "000008"]
    for name, source in sets.items():
        for shape in SHAPES:
            lines = (tmp_path / "a" / "ImageSets" / "Main" / f"{shape}_{name}.txt").read_text().splitlines()
            has = {picture.name for picture in source.pictures() if shape in {thing.name for thing in picture.things}}
            assert {line.split()[0] for line in lines if line.split()[1] != "-1"} == has
