"""The page of metrics."""

from __future__ import annotations

from platform_meter.model import catalogue
from platform_meter.render.reference.metrics import document


def test_a_row_tells_type_labels_bounds_cap_fold_meaning_and_buckets() -> None:
    """One gauge and one histogram, written out; the page says that it is generated."""
    page = document()
    assert page.startswith("<!-- Generated from ")
    assert (
        "| `platform_cluster_nodes` | gauge | `cluster`: configured clusters<br>`state`: a closed list | 10,000 | `cluster` "
        "| Nodes by state: ready, not_ready, cordoned. |\n"
    ) in page
    assert (
        "| `platform_probe_duration_seconds` | histogram | `target`: configured probes | 10,000 | `target` "
        "| Duration of our own probes. Buckets: 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10. |\n"
    ) in page
    assert page.count("\n| `platform_") == len(catalogue.ALL)


def test_a_convention_is_served_under_a_name_or_says_why_not() -> None:
    """The names that OpenTelemetry defines, with units, labels and where the numbers come from."""
    page = document()
    assert (
        "| `vcs.repository.count` | `{repository}` | `vcs_repository_count` (gauge)<br>`vcs_provider_name`: source types"
        "<br>`vcs_owner_name`: organisations and groups | Repositories as listed. |\n"
    ) in page
    assert "| `vcs.ref.count` | `{ref}` | not served | Branches and tags are not read. |\n" in page
