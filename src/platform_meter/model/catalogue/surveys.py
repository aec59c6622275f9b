"""Surveys: what users say, in numbers with their intervals (domain sections 10 and 13)."""

from __future__ import annotations

from platform_meter.model.catalogue.declare import gauge

_BOUNDS = {
    "survey": "Survey files",
    "question": "questions of the survey but NPS",
    "segment": "all; by persona and org as the Survey file says, of five people or more",
    "bound": "low, point, high",
}

SURVEY_NPS = gauge(
    "platform_survey_nps_score",
    "survey segment bound",
    "Net Promoter Score, -100 to 100, of the newest wave that has answers, with its interval of 95 %.",
    fold="",
    bounds=_BOUNDS,
)
SURVEY_SCORE = gauge(
    "platform_survey_score_ratio",
    "survey segment bound question",
    "CSAT, SUS / 100 or Likert index of the newest wave that has answers, with its interval of 95 %.",
    fold="",
    bounds=_BOUNDS,
)
SURVEY_RESPONSES = gauge(
    "platform_survey_responses",
    "survey segment",
    "Answers in the newest wave that has any; of each person the last.",
    fold="",
    bounds=_BOUNDS,
)
SURVEY_RESPONSE_RATIO = gauge(
    "platform_survey_response_ratio",
    "survey segment",
    "Invited who answered / invited in the newest wave that has answers.",
    fold="",
    bounds=_BOUNDS,
)
