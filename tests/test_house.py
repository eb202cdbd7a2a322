"""The rules of the house that a linter does not know."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from recaffe.layers.base.registry import registered

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("layers", "prototxt", "golden", "tools")  # each may import from those before it
BELOW = ("errors", "nearest")  # modules at the root, below all rooms: the base of all errors, and "did you mean"
FRONT = ("__init__", "__main__")  # modules at the root, above all rooms
GENERATED = {"prototxt/caffe_pb2.py", "prototxt/caffe_pb2.pyi"}
LONGEST_FILE, LONGEST_TEST, LONGEST_FUNCTION, LARGEST_FILE = 250, 300, 50, 1 << 20
CARRIED = {"golden/dump_caffe.py": 640}  # one file, as it is carried to the old machine
BINARY = {".npz", ".caffemodel", ".png", ".jpg"}


def tracked() -> Iterator[Path]:
    """Every file that belongs to the project: what git knows or would add, or else what is not ignored."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
        yield from (path for path in map(ROOT.joinpath, sorted({*listed} - {""})) if path.is_file())
    else:
        yield from not_ignored(ROOT, (ROOT / ".gitignore").read_text().split())


def not_ignored(folder: Path, patterns: list[str]) -> Iterator[Path]:
    """The files below a folder that no pattern of a plain .gitignore matches: `/top/`, `anywhere/` or `*.suffix`."""
    for path in sorted(folder.iterdir()):
        here = "/" + path.relative_to(ROOT).as_posix()
        if not any(fnmatch(here if p.startswith("/") else path.name, p.rstrip("/")) for p in patterns):
            yield from not_ignored(path, patterns) if path.is_dir() else [path]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


TRACKED = list(tracked())
CODE = [path for path in TRACKED if path.suffix == ".py" and name(path) not in GENERATED]
SOURCES = [
    path for path in CODE if name(path).split("/")[0] in ROOMS or name(path) in {f"{m}.py" for m in (*BELOW, *FRONT)}
]
COMMAND_LINE = [path for path in SOURCES if name(path).startswith("tools/commands/") or name(path) == "tools/main.py"]
LIBRARY = [path for path in SOURCES if path not in COMMAND_LINE and name(path) not in CARRIED]


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


def may_import(path: Path) -> set[str]:
    """The rooms, and the modules at the root, that a module may import from."""
    room = name(path).split("/")[0].removesuffix(".py")
    rooms = ROOMS if room in FRONT else ROOMS[: ROOMS.index(room) + 1] if room in ROOMS else ()
    return {*rooms, *BELOW}


def test_the_rooms_are_there() -> None:
    rooms = {name(path).split("/")[0] for path in SOURCES if "/" in name(path)}
    assert rooms == set(ROOMS)
    beside = {name(path).removesuffix(".py") for path in CODE if "/" not in name(path)}
    assert beside == {*BELOW, *FRONT, "setup"}


def test_imports_run_one_way() -> None:
    against = []
    for path in SOURCES:
        may = may_import(path)
        targets = [module.split(".")[:2] for module in imports(path)]
        against += [(name(path), t[1]) for t in targets if t[0] == "recaffe" and t[1] not in may]
    assert against == []


def test_inside_the_package_imports_are_relative() -> None:
    absolute = re.compile(rf"^\s*(?:from|import) (?:recaffe|{'|'.join(ROOMS + BELOW)})\b", re.MULTILINE)
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
        if (
            file and Path(file) in SOURCES and Path(file) != ROOT / "__init__.py"
        ):  # pytest takes this folder for a package
            names[Path(file)].add(module.__name__)
    assert names[ROOT / "layers" / "base" / "registry.py"] == {registered.__module__}
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


def test_no_two_public_classes_share_a_name() -> None:
    places = defaultdict(list)
    for path in SOURCES:
        classes = (node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef))
        for public in {found for found in classes if not found.startswith("_")} if name(path) not in CARRIED else ():
            places[public].append(name(path))
    assert {public: found for public, found in places.items() if len(found) > 1} == {}


def test_a_room_is_entered_by_its_door() -> None:
    """From outside a room only its `__init__.py` is imported; the doors of smaller rooms within it are its own.

    The four folders at the root hold rooms: `from ..layers.boxes import iou` is an import by a door.
    """
    entered = []
    for path in (path for path in SOURCES if name(path) != "__main__.py"):  # which is `recaffe` itself
        here = path.relative_to(ROOT).parent.parts
        for target in (tuple(module.split(".")[1:-1]) for module in imports(path) if module.startswith("recaffe.")):
            shared = next((k for k, (a, b) in enumerate(zip(here, target, strict=False)) if a != b), None)
            shared = min(len(here), len(target)) if shared is None else shared
            is_door = (ROOT.joinpath(*target) / "__init__.py").exists()
            deepest = shared + (2 if shared == 0 else 1)
            if len(target) > (deepest if is_door else shared + 1):
                entered.append((name(path), ".".join(target)))
    assert entered == []


def test_a_door_names_what_it_shows() -> None:
    for path in SOURCES:
        if path.name == "__init__.py":
            tree = ast.parse(path.read_text())
            assert ast.get_docstring(tree), name(path)
            listed = [
                node for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
            ]
            shown = {
                alias.asname or alias.name
                for node in tree.body
                if isinstance(node, ast.ImportFrom) and node.level
                for alias in node.names
            }
            assert not shown or shown == set(ast.literal_eval(listed[0].value)), name(path)


def test_arguments_are_the_command_lines() -> None:
    assert [name(path) for path in LIBRARY if "argparse" in set(imports(path))] == []


def test_no_flag_is_named_below_the_command_line() -> None:
    """An error or a note names a keyword argument, as in `force=True`; see `RecaffeError.choices`."""
    flag = re.compile(r"(?<![\w-])(?<!setup\.py build_ext )--[a-z]{2}")
    named = []
    for path in LIBRARY:
        texts = (node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant))
        named += [(name(path), text) for text in texts if isinstance(text, str) and flag.search(text)]
    assert named == []


def test_a_command_error_is_the_command_lines() -> None:
    assert [name(path) for path in LIBRARY if re.search(r"\bCommandError\b", path.read_text())] == []


def test_did_you_mean_is_written_once() -> None:
    assert [name(path) for path in SOURCES if any(m.startswith("difflib") for m in imports(path))] == ["nearest.py"]


def test_what_is_ignored_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With git and without: what `make demo` leaves is no part of the project."""
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    shutil.copy(Path(__file__).parents[1] / ".gitignore", tmp_path)
    for made in ("demo.png", "build/x.py", "layers/native/_kernels.so", "layers/__pycache__/x.pyc"):
        (tmp_path / made).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / made).write_text("")
    (tmp_path / "layers" / "relu.py").write_text("")
    expected = [".gitignore", "layers/relu.py"]
    assert [name(path) for path in tracked()] == expected
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    assert [name(path) for path in tracked()] == expected


def test_no_file_is_large() -> None:
    assert [name(path) for path in TRACKED if path.stat().st_size > LARGEST_FILE] == []


def test_no_path_leads_out_of_the_checkout() -> None:
    """A path of somebody's machine, or of a folder beside the checkout, is no part of the product."""
    outside = re.compile(rb"(?<![\w.])(?:/(?:home|root|work|Users)/\w|\.\./\w)")
    texts = [path for path in TRACKED if path.suffix not in BINARY]
    assert [name(path) for path in texts if outside.search(path.read_bytes())] == []
