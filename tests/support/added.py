"""A part of the product that a test invents: files in a folder that counts as one more place of a package."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def added(package: str, files: Mapping[str, str], folder: Path) -> Iterator[None]:
    """`files`, by their path below `package`, are there while the block lasts, as if they stood in the product.

    Args:
        package: full name of the room, such as `platform_meter.web.pages`.
        files: text by path: `weather/__init__.py`.
        folder: an empty place to write them.
    """
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    module = importlib.import_module(package)
    before, known = list(module.__path__), set(sys.modules)
    module.__path__.append(str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        module.__path__[:] = before
        for name in {Path(path).parts[0].removesuffix(".py") for path in files}:
            for loaded in [n for n in sys.modules if n not in known and n.startswith(f"{package}.{name}")]:
                del sys.modules[loaded]
            vars(module).pop(name, None)
