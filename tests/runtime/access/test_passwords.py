"""Passwords: bcrypt's work is counted, since it is what takes time."""

from __future__ import annotations

import bcrypt
import pytest

from platform_meter.runtime.access.passwords import Passwords


def hashed(password: bytes, cost: int = 4, prefix: bytes = b"2b") -> str:
    return bcrypt.hashpw(password, bcrypt.gensalt(cost)).replace(b"$2b$", b"$" + prefix + b"$").decode()


USERS = {"alice": hashed(b"one"), "bob": hashed(b"two", cost=5), "old": hashed(b"x" * 72, prefix=b"2y")}


class Work:
    """bcrypt itself, and the cost of all that it was asked."""

    def __init__(self) -> None:
        self.costs: list[int] = []

    def verify(self, password: bytes, stored: bytes) -> bool:
        self.costs.append(int(stored[4:6]))
        return bcrypt.checkpw(password, stored)


@pytest.mark.parametrize(
    ("name", "password", "fits"),
    [
        ("alice", b"one", True),
        ("bob", b"two", True),
        ("alice", b"two", False),
        ("alice", b"", False),
        ("alice", b"one\0", False),
        ("nobody", b"one", False),
        ("", b"", False),
        ("old", b"x" * 72 + b"more", True),
    ],
)
def test_who_has_which_password(name: str, password: bytes, fits: bool) -> None:
    """Of a long one bcrypt has only ever seen 72 bytes."""
    assert Passwords().fit(USERS, name, password) is fits


def test_a_password_is_verified_once() -> None:
    """Then it is known, and costs nothing; another user's, and a wrong one, are not, however often they are tried."""
    work = Work()
    passwords = Passwords(work.verify)
    assert [passwords.fit(USERS, "alice", b"one") for _ in range(3)] == [True, True, True]
    assert work.costs == [4]
    assert [passwords.fit(USERS, "bob", b"one") for _ in range(2)] == [False, False]
    assert [passwords.fit(USERS, "alice", b"no") for _ in range(2)] == [False, False]
    assert work.costs == [4, 5, 5, 4, 4]


def test_a_changed_hash_ends_what_was_known() -> None:
    """A user who has another password, or is gone, does not come in by the old one."""
    passwords = Passwords()
    assert passwords.fit(USERS, "alice", b"one")
    assert not passwords.fit({"alice": hashed(b"new")}, "alice", b"one")
    assert not passwords.fit({"bob": USERS["bob"]}, "alice", b"one")


def test_an_unknown_user_costs_what_a_known_one_does() -> None:
    """One verification, at the cost of one of the users', always the same one for a name; also where there are no users."""
    work = Work()
    passwords = Passwords(work.verify)
    for name in ("x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8"):
        work.costs.clear()
        assert not passwords.fit(USERS, name, b"one")
        assert not passwords.fit(USERS, name, b"two")
        first, second = work.costs
        assert first == second
        assert first in (4, 5)
    work.costs.clear()
    passwords.fit({}, "alice", b"one")
    assert work.costs == [10]


def test_an_unknown_user_has_no_password_at_all() -> None:
    """Whatever bcrypt says of the hash that stands in for his."""
    assert not Passwords(lambda _password, _stored: True).fit(USERS, "nobody", b"one")


def test_so_many_are_known() -> None:
    """The hundred that came last; one that is left out is verified again."""
    work = Work()
    passwords = Passwords(work.verify)
    users = {f"u{n}": hashed(b"one") for n in range(101)}
    for name in users:
        passwords.fit(users, name, b"one")
    work.costs.clear()
    for name in list(users)[1:]:
        assert passwords.fit(users, name, b"one")
    assert work.costs == []
    assert passwords.fit(users, "u0", b"one")
    assert work.costs == [4]
