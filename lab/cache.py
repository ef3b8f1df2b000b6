# SPDX-License-Identifier: GPL-2.0-only
"""Products under build/ that are made once per set of inputs.

A product is a directory with a file `.key`, the hash of all its inputs. It is made under another name and renamed at
the end, so an existing product is complete. If its key differs, it is made again.
"""

from __future__ import annotations

import fcntl
import hashlib
import inspect
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from . import steps
from .paths import BUILD, LOGS, ROOT

__all__ = ["BUILD", "LOGS", "ROOT", "digest", "keyed", "locked", "recipe", "remove", "valid"]

KEY_FILE = ".key"


def digest(inputs: object) -> str:
    """Hash of nested tuples, lists, dicts, strings, numbers, bytes, and paths, which count by content."""
    state = hashlib.sha256()
    for part in _flatten(inputs):
        # Lengths keep ("ab", "c") apart from ("a", "bc").
        state.update(b"%d:" % len(part))
        state.update(part)
    return state.hexdigest()


def recipe(*functions: Callable[..., object]) -> tuple[str, ...]:
    """Source text of the functions that make a product, as a part of its key."""
    return tuple(inspect.getsource(function) for function in functions)


def _flatten(value: object) -> Iterator[bytes]:
    if isinstance(value, Path):
        yield b"path"
        yield from _file_parts(value)
    elif isinstance(value, bytes):
        yield b"bytes"
        yield value
    elif isinstance(value, dict):
        yield b"dict%d" % len(value)
        for name in sorted(value, key=str):
            yield from _flatten(str(name))
            yield from _flatten(value[name])
    elif isinstance(value, (list, tuple)):
        yield b"list%d" % len(value)
        for item in value:
            yield from _flatten(item)
    elif isinstance(value, (str, int, float, bool)) or value is None:
        yield type(value).__name__.encode()
        yield str(value).encode()
    else:
        raise TypeError(f"a cache key cannot be made of {type(value).__name__}")


def _file_parts(path: Path) -> Iterator[bytes]:
    if path.is_dir():
        files: Iterable[Path] = sorted(p for p in path.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    else:
        files = [path]
    for file in files:
        yield str(file.relative_to(path)).encode() if file != path else file.name.encode()
        yield b"%o" % (file.stat().st_mode & 0o111)
        yield file.read_bytes()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a product against other threads and other runs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.parent / f".{path.name}.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with steps.step(f"Waiting for another run that makes {path}"):
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def remove(path: Path) -> None:
    """Remove a tree, but never a file system that is mounted in it."""
    if path.is_dir() and not path.is_symlink():
        subprocess.run(["rm", "-rf", "--one-file-system", "--", str(path)], check=False, stderr=subprocess.DEVNULL)
        if path.exists():
            raise steps.EnvironmentFault(f"{path} cannot be removed; see whether something is mounted in it and "
                                         "remove it by hand")
    else:
        path.unlink(missing_ok=True)


def valid(directory: Path, key: str) -> bool:
    """Whether `directory` is a finished product of the inputs with this digest."""
    try:
        return (directory / KEY_FILE).read_text() == key
    except (FileNotFoundError, NotADirectoryError):
        return False


def keyed(directory: Path, key_inputs: object, build: Callable[[Path], None]) -> Path:
    """Return `directory`, first made by `build(temporary directory)` unless it exists for these inputs.

    `build` must not write paths of its temporary directory into the product, as it is renamed at the end.
    When it fails or is killed, a former product stays unchanged.
    """
    key = digest(key_inputs)
    if valid(directory, key) and not _leftovers(directory):
        return directory
    with locked(directory):
        # The lock is held, so the leftovers of killed runs are not in use.
        for leftover in _leftovers(directory):
            remove(leftover)
        if valid(directory, key):
            return directory
        fresh = directory.parent / f".{directory.name}.new-{os.getpid()}"
        try:
            fresh.mkdir()
            build(fresh)
            (fresh / KEY_FILE).write_text(key)
            _replace(fresh, directory)
        except BaseException:
            with suppress(steps.LabError):
                remove(fresh)
            raise
    return directory


def _leftovers(directory: Path) -> list[Path]:
    return [*directory.parent.glob(f".{directory.name}.new-*"), *directory.parent.glob(f".{directory.name}.old-*")]


def _replace(fresh: Path, directory: Path) -> None:
    old = directory.parent / f".{directory.name}.old-{os.getpid()}"
    if directory.exists() or directory.is_symlink():
        directory.rename(old)
    fresh.rename(directory)
    remove(old)
