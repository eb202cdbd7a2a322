"""The two things that need code: the package is this folder, and its kernels are C++."""

import hashlib
from pathlib import Path

from setuptools import Extension, setup

ROOMS = ("layers", "prototxt", "golden", "tools")


def packages() -> list[str]:
    """Every folder of Python code under the rooms, as packages of recaffe."""
    folders = {code.parent for room in ROOMS for code in Path(room).rglob("*.py")}
    return sorted(".".join(("recaffe", *folder.parts)) for folder in folders)


def fingerprint() -> str:
    """Of the kernels' sources, so that a library built from others is not called; see layers/native/__init__.py."""
    folder = Path("layers/native")
    sources = sorted([*folder.glob("*.cpp"), *folder.glob("*.h")])
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()


kernels = Extension(
    "recaffe.layers.native._kernels",
    sources=sorted(map(str, Path("layers/native").glob("*.cpp"))),
    depends=["layers/native/kernels.h"],
    # No fused multiply-add: every operation rounds as in the original.
    extra_compile_args=["-std=c++17", "-O3", "-ffp-contract=off", "-fno-trapping-math", "-fvisibility=hidden"],
    extra_link_args=["-pthread"],
    define_macros=[("RECAFFE_SOURCES", f'"{fingerprint()}"')],
    optional=True,  # without a compiler the package runs in plain torch
)

setup(
    package_dir={"recaffe": "."},
    packages=packages(),
    py_modules=["recaffe.__init__"],  # as a package it would take this file along
    include_package_data=False,  # "everything that git tracks" would take far more along
    package_data={
        "recaffe.golden": ["fixtures/**/*"],
        "recaffe.layers.native": ["*.cpp", "*.h"],
        "recaffe.prototxt": ["*.proto", "*.pyi", "zoo/shapes*"],
        "recaffe.tools.report": ["*.css", "*.js"],
    },
    ext_modules=[kernels],
)
