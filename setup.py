"""The two things that need code: the package is this folder, and its kernels are C++."""

import hashlib
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_py import build_py

ROOMS = ("layers", "prototxt", "golden", "tools")


def packages() -> list[str]:
    """Every folder of Python code under the rooms, as packages of recaffe."""
    folders = {code.parent for room in ROOMS for code in Path(room).rglob("*.py")}
    return ["recaffe", *sorted(".".join(("recaffe", *folder.parts)) for folder in folders)]


class BuildPackage(build_py):
    """Builds the package that this folder is, without this file."""

    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        """All modules but setup.py."""
        return [module for module in super().find_package_modules(package, package_dir) if module[1] != "setup"]


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
    cmdclass={"build_py": BuildPackage},
    include_package_data=False,  # "everything that git tracks" would take far more along
    package_data={
        "recaffe": ["py.typed"],
        "recaffe.golden": ["fixtures/**/*"],
        "recaffe.layers.native": ["*.cpp", "*.h"],
        "recaffe.prototxt": ["*.proto", "*.pyi", "zoo/shapes*"],
        "recaffe.tools.report.comparison": ["*.css", "*.js"],
    },
    ext_modules=[kernels],
)
