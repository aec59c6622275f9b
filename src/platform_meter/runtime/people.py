"""The salt that people are hashed with, where it is configured, and the names of who is to be forgotten."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from platform_meter.model.personal import SALT_BYTES, hashed
from platform_meter.runtime.files.config import Config


def said_salt(config: Config, environ: Mapping[str, str]) -> bytes | None:
    """The configured salt for hashing people; without one the store has its own.

    Raises:
        OSError: the file can't be read.
        ValueError: the variable is not set, or it is too short to be one.
    """
    if config.salt is None:
        return None
    if config.salt.env is not None:
        salt, where = environ.get(config.salt.env, "").strip().encode(), f"variable {config.salt.env}"
    else:
        salt, where = Path(config.salt.file or "").expanduser().read_bytes().strip(), f"file {config.salt.file}"
    if len(salt) < SALT_BYTES:
        raise ValueError(
            f"the salt in {where} has {len(salt)} bytes and needs {SALT_BYTES} or more; put there what "
            "`openssl rand -hex 32` gives"
        )
    return salt


def hashes(salt: bytes, names: Iterable[str]) -> Collection[str]:
    """How these people may be stored: sources hash a name as it is, or in small letters. Empty lines are nobody."""
    told = {text for name in names if (text := name.strip())}
    return frozenset(hashed(salt, text) for name in told for text in (name, name.lower()))
