"""Where the salt is read, and whom names may mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from platform_meter.model.access import Secret
from platform_meter.model.personal import hashed
from platform_meter.runtime.files.config import Config
from platform_meter.runtime.people import hashes, said_salt

SALT = b"pepper-and-more-of-it"


def test_a_salt_of_ones_own_is_taken(tmp_path: Path) -> None:
    """From a variable or from a file, without its end of line; else the store has its own."""
    (tmp_path / "salt").write_bytes(SALT + b"\n")
    in_file = Config(zone="UTC", salt=Secret(file=str(tmp_path / "salt")))
    in_variable = Config(zone="UTC", salt=Secret(env="SALT"))
    assert said_salt(in_file, {}) == SALT
    assert said_salt(in_variable, {"SALT": f"{SALT.decode()}\n"}) == SALT
    assert said_salt(Config(zone="UTC"), {}) is None


@pytest.mark.parametrize("value", ["", "fifteen letters"])
def test_a_salt_that_could_be_tried_out_is_refused(value: str) -> None:
    """It has 128 bits at least; what stands there is not said."""
    with pytest.raises(ValueError, match=r"the salt in variable SALT has [0-9]+ bytes and needs 16 or more") as caught:
        said_salt(Config(zone="UTC", salt=Secret(env="SALT")), {"SALT": value})
    assert "fifteen" not in str(caught.value)


def test_a_name_means_all_forms_in_which_sources_hash_it() -> None:
    """As it is and in small letters; an empty line is nobody."""
    assert hashes(SALT, ["Ann\n", "", " "]) == {hashed(SALT, "Ann"), hashed(SALT, "ann")}
