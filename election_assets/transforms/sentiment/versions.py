"""Versions of engines: checksums of the modules and files that a score depends on, as they are now."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from zlib import crc32


def checksum(sources: Iterable[ModuleType | Path], *others: str) -> str:
    """A checksum of modules' source code, of files and of texts, 8 hex digits; their order counts."""
    held = crc32(" ".join(others).encode())
    for source in sources:
        path = source if isinstance(source, Path) else Path(str(source.__file__))
        held = crc32(path.read_bytes(), held)
    return f"{held:08x}"
