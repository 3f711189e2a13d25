"""docs/datadog.md tells of everything that Datadog is told, and of nothing else."""

import json
import re

from scheduler.adapters.datadog.intake import EVENT_TAGS
from scheduler.ports.telemetry import Metric, Title
from tests.test_docs import DOCS, FENCE

PAGE = (DOCS / "datadog.md").read_text()


def rows(section: str) -> list[list[str]]:
    """The table of a section, cell by cell, without its head."""
    _, after = PAGE.split(f"\n## {section}\n")
    lines = re.findall(r"^\| (`.+) \|$", after.split("\n## ")[0], re.MULTILINE)
    return [[cell.strip().strip("`") for cell in line.split("|")] for line in lines]


def test_every_metric_has_its_row_and_every_row_its_metric() -> None:
    """Under its name, with its kind, unit and tag, and with a meaning."""
    specs = [each.value for each in Metric]
    assert [row[:4] for row in rows("Metrics")] == [
        [each.name, each.kind.value, each.unit, each.tag] for each in specs
    ]
    assert all(row[4] for row in rows("Metrics"))


def test_every_event_has_its_row_and_every_row_its_event() -> None:
    """Under its title, with its alert type."""
    assert [row[:2] for row in rows("Events")] == [[each.text, each.severity.value] for each in Title]
    assert all(row[2] for row in rows("Events"))


def test_the_tags_of_events_are_named() -> None:
    """Monitors filter by them."""
    assert [tag for tag in EVENT_TAGS if f"`{tag}`" not in PAGE] == []


def test_no_two_metrics_or_events_share_a_name() -> None:
    """Enums would take a second one for an alias of the first and hide it."""
    assert len({each.value.name for each in Metric}) == len(Metric.__members__)
    assert len({each.text for each in Title}) == len(Title.__members__)


def test_the_task_definition_takes_the_key_from_a_secret() -> None:
    """The example is JSON, and the key is in no plain variable."""
    [definition] = [json.loads(body) for kind, body in FENCE.findall(PAGE) if kind == "json"]
    [container] = definition["containerDefinitions"]
    assert [each["name"] for each in container["secrets"]] == ["DATADOG_API_KEY"]
    assert "DATADOG_API_KEY" not in {each["name"] for each in container["environment"]}
