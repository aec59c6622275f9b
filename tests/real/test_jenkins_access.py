"""The jenkins source on a real Hudson that asks who calls: accounts of its own user database, each with its rights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from tests.support.hudson import METER, STRANGER, Hudson, hudson, password
from tests.support.real_source import Connected, connected
from tests.support.waiting import until

from platform_meter.model.access import Secret
from platform_meter.model.facts.ci import Outcome, PipelineRun
from platform_meter.model.source import Forbidden, Refused
from platform_meter.sources.jenkins import SOURCE, Config


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hudson]:
    with hudson(tmp_path_factory.mktemp("hudson"), guarded=True) as made:
        made.job("built", "exit 0")
        made.post("/job/built/build?delay=0sec")
        until(lambda: made.number("built"))
        yield made


CallsAs = Callable[[str, str], AbstractContextManager[Connected]]


@pytest.fixture
def calls_as(server: Hudson, tmp_path: Path) -> CallsAs:
    """The source with a user and a password."""

    def connect(user: str, word: str) -> AbstractContextManager[Connected]:
        file = tmp_path / "token"
        file.write_text(word)
        return connected(SOURCE, Config(url=server.url, user=user, token=Secret(file=str(file))))

    return connect


def test_an_account_that_may_read_reads(calls_as: CallsAs) -> None:
    """Overall/Read is all that Hudson asks for, for builds and for what waits and runs."""
    with calls_as(METER, password(METER)) as meter:
        assert meter.check() == []
        builds, pools = meter.stream("builds"), meter.stream("pools")
        builds.run()
        pools.run()
        assert [run.outcome for run in builds.events.values() if isinstance(run, PipelineRun)] == [Outcome.SUCCESS]
        assert "master" in {key.rpartition("/")[2] for key in pools.readings}
        assert meter.gaps == []


@pytest.mark.parametrize("user", [METER, "nobody"])
def test_a_wrong_password_or_user_is_refused(calls_as: CallsAs, user: str) -> None:
    """Nothing is told, no permission is advised, and the password is not shown."""
    with calls_as(user, "guessed-wrongly") as meter:
        builds = meter.stream("builds")
        for ask in (builds.run, meter.check):
            with pytest.raises(Refused, match="401, the credential is not accepted") as refused:
                ask()
            assert not isinstance(refused.value, Forbidden)
            assert f"and the user '{user}'" in str(refused.value)
            assert "guessed-wrongly" not in str(refused.value)
        assert builds.events == {}


def test_an_account_without_rights_is_told_which_it_lacks(calls_as: CallsAs) -> None:
    """It is known, and not allowed: no other password would help."""
    with calls_as(STRANGER, password(STRANGER)) as meter:
        builds = meter.stream("builds")
        with pytest.raises(Forbidden, match="403, the credential lacks a permission"):
            builds.run()
        assert builds.events == {}
        (line,) = meter.check()
        assert line.endswith("; give the account the permission Overall/Read")
