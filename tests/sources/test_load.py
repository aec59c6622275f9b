"""Source types are found by themselves: a module with a `SOURCE` is all it takes."""

from __future__ import annotations

from platform_meter import sources


def test_every_module_that_is_not_private_is_a_source() -> None:
    """Each is called by the name of its module, in what people write and in the `source` label."""
    assert sources.load().keys() == {"github", "jira", "kubernetes", "prometheus"}
    for name, source in sources.load().items():
        assert source.name == name
        assert source.config.model_fields.keys() >= {"every", "timeout", "lookback", "stale_after", "history"}
        assert source.gives
