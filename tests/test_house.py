"""The rules of the house that a linter does not know."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

from recaffe.layers.registry import registered

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("layers", "prototxt", "golden", "tools")  # each may import from those before it
GENERATED = {"prototxt/caffe_pb2.py", "prototxt/caffe_pb2.pyi"}
LONGEST_FILE, LONGEST_TEST, LONGEST_FUNCTION, LARGEST_FILE = 250, 300, 50, 1 << 20
CARRIED = {"golden/dump_caffe.py": 600}  # one file, as it is carried to the old machine
SHARED_NAMES = {"__init__", "errors", "arguments"}  # what several rooms have of their own
BINARY = {".npz", ".caffemodel", ".png", ".jpg"}
MADE = {"build", "dist", "__pycache__", "recaffe.egg-info"}


def tracked() -> Iterator[Path]:
    """Every file of the checkout but what is made in it."""
    for path in sorted(ROOT.iterdir()):
        if path.name in MADE or (path.name.startswith(".") and path.name not in {".ci", ".gitignore"}):
            continue
        inside = path.rglob("*") if path.is_dir() else [path]
        yield from (p for p in inside if p.is_file() and not MADE & set(p.parts) and p.suffix != ".so")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


TRACKED = list(tracked())
CODE = [path for path in TRACKED if path.suffix == ".py" and name(path) not in GENERATED]
SOURCES = [path for path in CODE if name(path).split("/")[0] in ROOMS]


def imports(path: Path) -> Iterator[str]:
    """Absolute names of what a module of the package imports."""
    package = ("recaffe", *path.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) + 1 - node.level]) if node.level else ""
            base = f"{base}.{node.module}".strip(".") if node.module else base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def test_the_rooms_are_there() -> None:
    assert {name(path).split("/")[0] for path in SOURCES} == set(ROOMS)


def test_imports_run_one_way() -> None:
    against = []
    for path in SOURCES:
        may = ROOMS[: ROOMS.index(path.relative_to(ROOT).parts[0]) + 1]
        targets = [module.split(".")[:2] for module in imports(path)]
        against += [(name(path), t[1]) for t in targets if t[0] == "recaffe" and t[1] not in may]
    assert against == []


def test_inside_the_package_imports_are_relative() -> None:
    absolute = re.compile(rf"^\s*(?:from|import) (?:recaffe|{'|'.join(ROOMS)})\b", re.MULTILINE)
    assert [name(path) for path in SOURCES if absolute.search(path.read_text())] == []


def test_what_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [line for extra, lines in project["optional-dependencies"].items() if extra != "dev" for line in lines]
    declared = {plain(re.split(r"[<>=!~; \[]", line)[0]) for line in [*project["dependencies"], *extras]}
    providers = packages_distributions()
    for path in SOURCES:
        for imported in {module.split(".")[0] for module in imports(path)} - {"recaffe"} - set(sys.stdlib_module_names):
            given = {plain(dist) for dist in providers.get(imported, [imported])}
            assert given & declared, f"{name(path)} imports {imported}, which pyproject.toml does not declare"


def plain(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def test_what_is_declared_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    pins = {plain(line.split("==")[0]) for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    assert {plain(re.split(r"[<>=!~; \[]", line)[0]) for line in lines} <= pins


def test_no_module_is_loaded_under_two_names() -> None:
    names = defaultdict(set)
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and Path(file).is_relative_to(ROOT) and name(Path(file)).split("/")[0] in ROOMS:
            names[Path(file)].add(module.__name__)
    assert names[ROOT / "layers" / "registry.py"] == {registered.__module__}
    assert {file: found for file, found in names.items() if len(found) > 1} == {}


def test_files_and_functions_are_short() -> None:
    long = []
    for path in CODE:
        text = path.read_text()
        functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef))
        sizes = {f.name: (f.end_lineno or 0) - f.lineno + 1 for f in functions}
        long += [(name(path), function, lines) for function, lines in sizes.items() if lines > LONGEST_FUNCTION]
        longest = CARRIED.get(name(path), LONGEST_FILE if path in SOURCES else LONGEST_TEST)
        if len(text.splitlines()) > longest:
            long.append((name(path), "file", len(text.splitlines())))
    assert long == []


def test_no_two_modules_share_a_name() -> None:
    places = defaultdict(list)
    for path in SOURCES:
        places[path.stem].append(name(path))
    assert {stem: found for stem, found in places.items() if len(found) > 1 and stem not in SHARED_NAMES} == {}


def test_no_file_is_large() -> None:
    assert [name(path) for path in TRACKED if path.stat().st_size > LARGEST_FILE] == []


def test_no_path_leads_out_of_the_checkout() -> None:
    """A path of somebody's machine, or of a folder beside the checkout, is no part of the product."""
    outside = re.compile(rb"(?<![\w.])(?:/(?:home|root|work|Users)/\w|\.\./\w)")
    texts = [path for path in TRACKED if path.suffix not in BINARY]
    assert [name(path) for path in texts if outside.search(path.read_bytes())] == []
