"""What a file may ask of uses and of fields."""

from __future__ import annotations

from platform_meter.model.facts.ci import PipelineRun
from platform_meter.model.facts.delivery import Repository
from platform_meter.model.facts.kubernetes import Node
from platform_meter.model.facts.use import Usage
from platform_meter.runtime.files.uses import bounded, verbs_of, words_of


def test_an_event_with_a_verb_of_its_own_has_its_own_words() -> None:
    """All other verbs are those of `Usage`, where the source gives it."""
    assert verbs_of([PipelineRun, Usage, Node]) == {"run"}
    assert set(words_of("run", [PipelineRun, Usage])) == {"pipeline", "result", "trigger"}
    assert words_of("view", [PipelineRun, Usage]) is Usage.use_words
    assert words_of("view", [PipelineRun]) == {}


def test_few_values_are_possible_where_a_field_is_a_yes_or_no() -> None:
    """Of a label, or of a text, any is."""
    assert bounded(Repository, "archived") == {"false", "true"}
    assert bounded(Node, "anything") == set()
