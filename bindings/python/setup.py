"""Where liblicet is: LICET_INCLUDE_DIR and LICET_LIB_DIR, or what pkg-config says of `licet`. All else: pyproject.toml."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup

ADVICE = """
licet: liblicet was not found, and this package is its binding. Either
  install it (`make install` in Licet's sources, or the package liblicet-dev), so that `pkg-config --libs licet` answers;
    for a PREFIX of your own, set PKG_CONFIG_PATH=PREFIX/lib/pkgconfig; or
  name the folders of a tree that is not installed: LICET_INCLUDE_DIR (of licet.h) and LICET_LIB_DIR (of liblicet.so).
"""


def from_environment() -> dict[str, list[str]] | None:
    include, library = os.environ.get("LICET_INCLUDE_DIR"), os.environ.get("LICET_LIB_DIR")
    if not include and not library:
        return None
    for variable, folder, file in (
        ("LICET_INCLUDE_DIR", include, "licet.h"),
        ("LICET_LIB_DIR", library, "liblicet.so"),
    ):
        if not folder or not Path(folder, file).exists():
            sys.exit(f"licet: {variable}={folder or ''} holds no {file}\n{ADVICE}")
    assert include and library
    library = str(Path(library).resolve())
    # Not installed: found again at run time where it was found now.
    return {"include_dirs": [include], "library_dirs": [library], "runtime_library_dirs": [library]}


def from_pkg_config() -> dict[str, list[str]]:
    program = os.environ.get("PKG_CONFIG", "pkg-config")
    try:
        found = subprocess.run([program, "--cflags", "--libs", "licet"], capture_output=True, text=True)
    except OSError as error:
        sys.exit(f"licet: {program}: {error.strerror}\n{ADVICE}")
    if found.returncode != 0:
        sys.exit(f"licet: {found.stderr.strip()}\n{ADVICE}")
    words = shlex.split(found.stdout)
    folders = {flag: [word[2:] for word in words if word.startswith(flag)] for flag in ("-I", "-L")}
    return {"include_dirs": folders["-I"], "library_dirs": folders["-L"]}


ours = Path("src/licet/_c")
setup(
    ext_modules=[
        Extension(
            "licet._licet",
            sources=[str(path) for path in sorted(ours.glob("*.c"))],
            depends=[str(ours / "binding.h")],
            libraries=["licet"],
            extra_compile_args=["-std=c11", "-fvisibility=hidden"],
            **(from_environment() or from_pkg_config()),
        )
    ]
)
