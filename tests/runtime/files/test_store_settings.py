"""The section `store`: addresses of stores, and those that nobody can open or should see."""

from __future__ import annotations

import pytest

from platform_meter.model.scalars import HiddenError
from platform_meter.runtime.files.store_settings import parse_store_url


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("sqlite:///meter.db", True),
        ("sqlite:////var/lib/meter.db", True),
        ("sqlite://", False),
        ("sqlite:///", False),
        ("sqlite:///:memory:", False),
        ("sqlite://host/meter.db", False),
        ("postgresql://db/meter", True),
        ("postgresql+psycopg://me@db:5433/meter", True),
        ("postgresql://db:port/meter", False),
        ("postgresql://db:99999/meter", False),
        ("postgresql+asyncpg://db/meter", False),
        ("mysql://db/meter", False),
        ("meter.db", False),
    ],
)
def test_a_store_is_a_file_or_a_postgresql(url: str, good: bool) -> None:
    """What the store could not open is refused here."""
    if good:
        assert parse_store_url(url) == url
        return
    with pytest.raises(
        ValueError, match=r"^no store has such an address; write sqlite:///FILE or postgresql\+psycopg:"
    ):
        parse_store_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://127.0.0.1:1/db?password=EXAMPLEpw",
        "postgresql+psycopg://me@db/meter?sslmode=require&sslpassword=EXAMPLEpw",
        "postgresql://db/meter?PassWD=EXAMPLEpw",
        "postgresql://db/meter?pass%77ord=EXAMPLEpw",
        "postgresql://me:EXAMPLEpw@db/meter",
        "postgresql://me:EXAM@PLEpw@db/meter",
        "postgresql://me:@db/meter",
    ],
)
def test_a_store_address_carries_no_password(url: str) -> None:
    """Wherever it stands there; the address is not shown again, and the message says where a password goes."""
    with pytest.raises(HiddenError) as caught:
        parse_store_url(url)
    assert str(caught.value) == (
        "the address of the store carries a password; leave it out, and give it by the variable PGPASSWORD "
        "or by a file that the variable PGPASSFILE names"
    )


def test_what_is_no_store_and_may_hold_a_password_is_hidden() -> None:
    """A port that is no number makes it no address; what stands behind it is none of anybody's business."""
    with pytest.raises(HiddenError):
        parse_store_url("postgresql://db:port/meter?password=EXAMPLEpw")
