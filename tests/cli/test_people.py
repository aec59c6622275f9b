"""`people rotate` and `people forget` on a store: what is asked, what is said, and what is left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.stores import NOON, minutes, put

from platform_meter.cli import main
from platform_meter.cli.common import examined, open_service
from platform_meter.model.facts import Ref
from platform_meter.model.facts.tickets import TicketChange, TicketEvent
from platform_meter.runtime.service import Service

LONG = "a salt of more than sixteen bytes"


@contextmanager
def exporter(config: Path) -> Iterator[Service]:
    service = open_service(examined(config))
    try:
        yield service
    finally:
        service.close()


def ticket(service: Service, key: str, person: str) -> TicketEvent:
    about = Ref(system="jira", kind="queue", id="PLAT")
    who = service.hashed(person)
    return TicketEvent(
        key=key, at=NOON, about=about, queue="PLAT", ticket=key, change=TicketChange.CREATED, requester=who
    )


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """With a store in which two people asked."""
    path = tmp_path / "platform-meter.yaml"
    path.write_text(f"store: {{url: 'sqlite:///{tmp_path / 'meter.db'}'}}\n", "utf-8")
    with exporter(path) as service:
        put(service.store, [ticket(service, "1", "ann@acme.example"), ticket(service, "2", "bob@acme.example")])
    return path


def asked(config: Path) -> list[str]:
    """Who asked, ticket by ticket, as the store has them."""
    with exporter(config) as service, service.store.history(NOON, []) as history:
        return [row.event.requester for row in history.rows(TicketEvent, NOON, NOON + minutes(1))]


def run(config: Path, *words: str, said: str = "") -> tuple[int, str]:
    found = CliRunner().invoke(main, ["people", words[0], "-c", str(config), *words[1:]], input=said)
    return found.exit_code, found.output


def test_rotating_says_what_begins_anew_and_asks(config: Path) -> None:
    """Whoever says no has changed nothing."""
    before = asked(config)
    code, output = run(config, "rotate", said="n\n")
    assert code == 1
    assert "adoption and journeys with `unit: person`" in output
    assert asked(config) == before
    code, output = run(config, "rotate", "--yes")
    assert (code, output.splitlines()[-1]) == (
        0,
        "2 hashes have another name; reload the exporters of this store, or start them again",
    )
    after = asked(config)
    assert len({*before, *after}) == 4


def test_a_salt_of_ones_own_takes_the_place_of_the_old_one(config: Path) -> None:
    """An exporter does not begin under it before people are rotated, and does so afterwards."""
    (config.parent / "salt").write_text(LONG, "utf-8")
    config.write_text(f"{config.read_text('utf-8')}salt: {{file: {config.parent / 'salt'}}}\n", "utf-8")
    assert CliRunner().invoke(main, ["explain", "-c", str(config), "platform_tickets_open"]).exit_code == 1
    assert run(config, "rotate", "--yes")[0] == 0
    with exporter(config) as service:
        put(service.store, [ticket(service, "3", "ann@acme.example")], NOON + minutes(1))
    assert len({*asked(config)}) == 3


def test_who_is_forgotten_is_named_in_the_input_alone(config: Path) -> None:
    """By all names that are written there; what is left of others stays, and what comes again is refused."""
    _, bob = asked(config)
    assert run(config, "forget", said="Ann@acme.example\n") == (
        1,
        "Error: what is forgotten does not come back; add --yes\n",
    )
    assert run(config, "forget", "--yes", said=" \n")[1].startswith("Error: nobody is named; write a name each line")
    assert run(config, "forget", "--yes", said="Ann@acme.example\nann\n") == (
        0,
        "TicketEvent: 1\nkept out from now on\n",
    )
    assert asked(config) == ["", bob]
    assert run(config, "forget", "--yes", said="nobody\n") == (0, "nothing is stored of them; kept out from now on\n")
    with exporter(config) as service:
        put(service.store, [ticket(service, "3", "ann@acme.example")], NOON + minutes(1))
    assert asked(config) == ["", bob, ""]


def test_who_is_forgotten_is_kept_out_under_the_next_salt_where_a_file_names_them(config: Path) -> None:
    """Without it nobody knows them any more, which is said."""
    names = config.parent / "forgotten.txt"
    names.write_text("ann@acme.example\n", "utf-8")
    assert run(config, "forget", "--names", str(names), said="y\n")[0] == 0
    code, output = run(config, "rotate", said="n\n")
    assert (code, "1 hashes of people who were forgotten are known no more" in output) == (1, True)
    code, output = run(config, "rotate", "--yes", "--forgotten", str(names))
    assert (code, "are known no more" in output) == (0, False)
    with exporter(config) as service:
        put(service.store, [ticket(service, "3", "ann@acme.example")], NOON + minutes(1))
    assert asked(config)[-1] == ""
