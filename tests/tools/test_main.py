"""`recaffe`: finding commands, and how faults end."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from recaffe.golden.errors import GoldenError
from recaffe.layers.base.layer import LayerError
from recaffe.prototxt.errors import PrototxtError
from recaffe.tools.commands import doctor
from recaffe.tools.commands.errors import CommandError
from recaffe.tools.main import COMMANDS, main, module_of

RECAFFE = Path(sys.executable).with_name("recaffe")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_a_module(name: str) -> None:
    module = module_of(name)
    parser = argparse.ArgumentParser()
    module.configure(parser)
    assert name == module.NAME
    assert module.HELP
    assert module.__doc__.startswith(f"`recaffe {name}`")
    assert callable(module.run)


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    out = capsys.readouterr().out
    assert [name for name in COMMANDS if name not in out] == []


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "recaffe: the following arguments are required: COMMAND (see recaffe --help)\n"),
        (["doctor", "--no"], "recaffe doctor: unrecognized arguments: --no (see recaffe doctor --help)\n"),
        (
            ["verify", "a.npz", "--islate"],
            "recaffe verify: unrecognized arguments: --islate; did you mean '--isolate'? (see recaffe verify --help)\n",
        ),
        (
            ["summary", "--wieghts=a.npz", "a.prototxt"],
            "recaffe summary: unrecognized arguments: --wieghts=a.npz; did you mean '--weights'? "
            "(see recaffe summary --help)\n",
        ),
        (
            ["data", "check", "x", "--fxi", "y"],
            "recaffe data check: unrecognized arguments: --fxi y; did you mean '--fix'? "
            "(see recaffe data check --help)\n",
        ),
        (["--hepl"], "recaffe: unrecognized arguments: --hepl; did you mean '--help'? (see recaffe --help)\n"),
        (["verfy"], "recaffe: no command 'verfy'; did you mean 'verify'? (see recaffe --help)\n"),
        (
            ["train_alternating"],
            "recaffe: no command 'train_alternating'; did you mean 'train-alternating'? (see recaffe --help)\n",
        ),
        (["zzz"], f"recaffe: no command 'zzz'; there are {', '.join(COMMANDS)} (see recaffe --help)\n"),
        (["summary"], "recaffe summary: the following arguments are required: NET (see recaffe summary --help)\n"),
    ],
)
def test_a_wrong_call_is_one_line(words: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    assert capsys.readouterr().err == line


def test_an_unknown_command_is_refused_with_the_known(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["verifi"])
    assert end.value.code == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "verifi" in err
    assert "verify" in err


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (PrototxtError("net.prototxt:3:5: no\nsuch field"), "net.prototxt:3:5: no such field"),
        (LayerError("takes 1 bottom"), "takes 1 bottom"),
        (GoldenError("a.npz: no prototxt"), "a.npz: no prototxt"),
        (CommandError("--input x: expected"), "--input x: expected"),
        (FileNotFoundError(2, "No such file", "net.prototxt"), "net.prototxt: No such file"),
        (OSError("odd"), "odd"),
        (MemoryError(), "out of memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "DefaultCPUAllocator: can't allocate memory"),
        (torch.OutOfMemoryError("CUDA out of memory."), "CUDA out of memory."),
        (KeyboardInterrupt(), "interrupted"),
    ],
)
def test_a_fault_is_one_line(
    fault: BaseException, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "run", raiser(fault))
    assert main(["doctor"]) == 2
    assert capsys.readouterr().err == f"recaffe doctor: {line}\n"
    monkeypatch.setenv("RECAFFE_TRACEBACK", "1")
    with pytest.raises(type(fault)):
        main(["doctor"])


def test_a_defect_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "run", raiser(KeyError("a bug")))
    with pytest.raises(KeyError):
        main(["doctor"])


def raiser(fault: BaseException) -> object:
    def run(args: argparse.Namespace) -> int:
        raise fault

    return run


def test_a_closed_pipe_is_quiet() -> None:
    with subprocess.Popen([RECAFFE, "doctor"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_version_needs_no_torch() -> None:
    code = "import sys; from recaffe.tools.main import main; sys.modules['torch'] = None; main(['--version'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd="/")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("recaffe ")


def test_onednn_keeps_more_kernels_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
    monkeypatch.delenv(name, raising=False)
    assert main(["layers"]) == 0
    assert os.environ[name] == "20000"
    monkeypatch.setenv(name, "7")
    assert main(["layers"]) == 0
    assert os.environ[name] == "7"
