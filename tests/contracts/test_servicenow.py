"""The ServiceNow source against the description of its Table API that is held here, which is no official one."""

from __future__ import annotations

from datetime import timedelta

from tests.contracts.calls import description
from tests.sources.servicenow.test_servicenow import NOW, SETTINGS, SINCE, small_world

from platform_meter.sources.servicenow import SOURCE
from platform_meter.sources.servicenow.config import Config
from platform_meter.testing.outside import FakeOutside

NAME = "servicenow-table.openapi.json"


def test_every_call_is_in_the_description() -> None:
    """All paths and parameters of polls, of looks for open tickets and of `check`."""
    world = small_world()
    outside = FakeOutside(world)
    config = Config.model_validate({**SETTINGS, "agents": ["group:Desk"]})
    for stream in SOURCE.connect(config, outside, "test"):
        checkpoint = list(stream.read(None, SINCE, NOW))[-1].checkpoint
        list(stream.read(checkpoint, SINCE, NOW + timedelta(days=1)))
    SOURCE.check(config, outside)
    tables = {call.path.rpartition("/")[2] for call in outside.calls}
    assert tables == {
        "incident",
        "sys_audit",
        "sys_journal_field",
        "sys_choice",
        "sys_user_group",
        "sys_user_grmember",
        "task_sla",
    }
    assert any("sys_idIN" in call.params["sysparm_query"] for call in outside.calls)
    assert [problem for call in outside.calls for problem in description(NAME).problems(call)] == []
