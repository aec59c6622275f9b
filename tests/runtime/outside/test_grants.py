from __future__ import annotations

from platform_meter.runtime.outside.grants import Grant, fingerprint


def test_secrets_are_hidden_the_longest_first() -> None:
    """No part of a secret stays where one secret holds another; very short ones hide nothing."""
    grant = Grant(base="https://x", secrets=("abc", "abcdef", "ab"))
    assert grant.hide("it was abcdef, abc and ab") == "it was ***, *** and ab"


def test_a_grant_does_not_show_its_secrets() -> None:
    """Neither headers nor secrets are in the repr."""
    grant = Grant(
        base="https://x", headers={"Authorization": "Bearer hush"}, secrets=("hush",), proxy="http://u:hush@p"
    )
    assert "hush" not in repr(grant)


def test_fingerprints_keep_borders() -> None:
    """The same characters cut elsewhere are another credential; equal ones are equal."""
    assert fingerprint("ab", "c") != fingerprint("a", "bc")
    assert fingerprint("ab", "c") == fingerprint("ab", "c")
