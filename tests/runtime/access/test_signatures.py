"""Signatures of the four kinds: the makers' own examples, and everything that is not quite right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from platform_meter.model.push import Scheme
from platform_meter.runtime.access.signatures import Headers, fits, is_signed

SENT = datetime(2021, 2, 25, 15, 2, 10, tzinfo=UTC)
"""1614265330, of the example in the Standard Webhooks specification."""
GITHUB = (
    Scheme.GITHUB,
    "It's a Secret to Everybody",
    {"x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
    b"Hello, World!",
)
"""The example of GitHub's page on validating deliveries."""
STANDARD = (
    Scheme.STANDARD,
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    },
    b'{"test": 2432232314}',
)
"""The example of the Standard Webhooks specification."""
PAGERDUTY = (
    Scheme.PAGERDUTY,
    "pd-secret",
    {
        "x-pagerduty-signature": "v1=206df7be627fa2478e48f00247d419647c2acc501c2e37c9f03e0e1d73895a6a, "
        "v1=955eb58c065489429d2020f99f23cc443b5cd01b5282ca35be30a95f0a8b2969"
    },
    b'{"event":{"id":"01"}}',
)
"""Signed by `openssl dgst -sha256 -hmac`, with a secret that is going out of use and with ours."""
GITLAB = (Scheme.GITLAB, "a-token-of-gitlab", {"x-gitlab-token": "a-token-of-gitlab"}, b"{}")
GITLAB_SIGNED = (Scheme.GITLAB, *STANDARD[1:])

Case = tuple[Scheme, str, dict[str, str], bytes]
ALL: list[Case] = [GITHUB, STANDARD, PAGERDUTY, GITLAB, GITLAB_SIGNED]
NAMES = ["github", "standard", "pagerduty", "gitlab", "gitlab signed"]


@pytest.mark.parametrize("case", ALL, ids=NAMES)
def test_what_is_signed_well_fits(case: Case) -> None:
    """As its maker signs it; for a minute more it may have been on its way."""
    scheme, secret, headers, body = case
    assert is_signed(scheme, headers)
    assert fits(scheme, secret, headers, body, SENT)
    assert fits(scheme, secret, headers, body, SENT + timedelta(minutes=1))


@pytest.mark.parametrize("case", ALL, ids=NAMES)
def test_what_was_not_signed_like_that_does_not_fit(case: Case) -> None:
    """With another secret or none, cut off, longer, of another scheme, or with nothing."""
    scheme, secret, headers, body = case
    name = next(iter(n for n in headers if "signature" in n or "token" in n))
    shown = headers[name]
    assert not fits(scheme, f"{secret}x", headers, body, SENT)
    assert not fits(scheme, "", headers, body, SENT)
    for other in (shown[:-1], shown[:10], f"{shown}0", "", "v1=", "v1,", "sha256=", "sha256=é", "\udcff", shown * 100):
        assert not fits(scheme, secret, {**headers, name: other}, body, SENT), other
    assert not fits(scheme, secret, {}, body, SENT)
    assert not is_signed(scheme, {"x-other": "1"})


@pytest.mark.parametrize("case", [GITHUB, STANDARD, PAGERDUTY, GITLAB_SIGNED], ids=[n for n in NAMES if n != "gitlab"])
def test_another_body_does_not_fit(case: Case) -> None:
    """A byte more, a byte less, or none."""
    scheme, secret, headers, body = case
    for other in (body + b" ", body[:-1], b""):
        assert not fits(scheme, secret, headers, other, SENT)


def test_the_short_hash_of_github_is_not_taken() -> None:
    """`X-Hub-Signature` is SHA-1; what carries it alone is signed, and wrong."""
    headers = {"x-hub-signature": "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59"}
    assert is_signed(Scheme.GITHUB, headers)
    assert not fits(Scheme.GITHUB, GITHUB[1], headers, GITHUB[3], SENT)


@pytest.mark.parametrize(
    ("seconds", "good"), [(-300, True), (-301, False), (0, True), (300, True), (301, False), (86_400, False)]
)
def test_what_carries_its_time_fits_for_five_minutes(seconds: int, *, good: bool) -> None:
    """Before and after: a clock may differ, and what was recorded is no use later."""
    scheme, secret, headers, body = STANDARD
    assert fits(scheme, secret, headers, body, SENT + timedelta(seconds=seconds)) is good


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-timestamp": "1614265331"},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "-1614265330"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-timestamp": ""},
        {"webhook-id": "msg_other"},
        {"webhook-id": ""},
        {"webhook-signature": "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
    ],
)
def test_id_and_time_are_signed_too(changed: Headers) -> None:
    """With others the signature does not fit; asymmetric ones (`v1a`) are not known."""
    scheme, secret, headers, body = STANDARD
    assert not fits(scheme, secret, {**headers, **changed}, body, SENT)


def test_one_of_several_signatures_is_enough() -> None:
    """Standard Webhooks puts spaces between them, while a secret goes out of use."""
    scheme, secret, headers, body = STANDARD
    both = {**headers, "webhook-signature": f"v1,AAAA {headers['webhook-signature']}"}
    assert fits(scheme, secret, both, body, SENT)


@pytest.mark.parametrize("secret", ["whsec_", "whsec_not base64!", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS"])
def test_a_secret_that_is_none_lets_nothing_in(secret: str) -> None:
    """Of Standard Webhooks it is base64; the prefix may be left out."""
    scheme, right, headers, body = STANDARD
    assert not fits(scheme, secret, headers, body, SENT)
    assert fits(scheme, right.removeprefix("whsec_"), headers, body, SENT)


def test_a_gitlab_that_signs_is_held_to_it() -> None:
    """The plain token beside a signature that does not fit lets nothing in."""
    _, secret, headers, body = GITLAB_SIGNED
    assert not fits(Scheme.GITLAB, secret, {**headers, "x-gitlab-token": secret}, body + b" ", SENT)
