"""The portal: its catalog, its templates and its use (domain section 13)."""

from __future__ import annotations

from platform_meter.model.catalogue.declare import BOUNDS, counter, gauge

_BOUNDS = {
    **BOUNDS,
    "kind": "api, component, domain, resource, system, template",
    "complete": "yes, no",
    "template": "templates of the portal, _other past the cap",
    "outcome": "success, failed, cancelled",
    "result": "hit, miss",
    "area": "what is documented, _other past the cap",
}

CATALOG_ENTITIES = gauge(
    "platform_catalog_entities",
    "kind complete",
    "Entries of the portal's catalog; complete ones have all required fields and an owner that is a group with members.",
    bounds=_BOUNDS,
)
CATALOG_COVERAGE = gauge(
    "platform_catalog_coverage_ratio",
    "",
    "Deployables seen in clusters, or in CI within 28 days, that are in the catalog / all seen; what clusters run for "
    "themselves (kube-system) is left out.",
)
TEMPLATE_RUNS = counter(
    "platform_template_runs_total",
    "template outcome",
    "Runs of software templates that ended.",
    fold="template",
    bounds=_BOUNDS,
)
GOLDEN_PATH = gauge(
    "platform_golden_path_ratio",
    "window",
    "New repositories that a template made / new repositories.",
)
GOLDEN_PATH_STAY = gauge(
    "platform_golden_path_stay_ratio",
    "window",
    "Repositories made by a template whose 90th day is in the window and whose entry was complete then / all such.",
)
PORTAL_ACTIVE_PEOPLE = gauge(
    "platform_portal_active_people",
    "window",
    "Distinct people who did anything in the portal.",
)
PORTAL_SEARCHES = counter(
    "platform_portal_searches_total",
    "result",
    "Searches in the portal by whether they found anything.",
    bounds=_BOUNDS,
)
DOCS_VIEWS = counter(
    "platform_docs_views_total",
    "area",
    "Pages of documentation that were opened, by what they document.",
    fold="area",
    bounds=_BOUNDS,
)
DOCS_HELPFUL = gauge(
    "platform_docs_helpful_ratio",
    "area",
    "Votes of 28 days that say a page helped / all votes on pages of this area.",
    fold="area",
    bounds=_BOUNDS,
)
