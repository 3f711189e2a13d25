"""Settings of Datadog: read like all others, and nothing runs without them."""

from pathlib import Path

import pytest

from scheduler.bootstrap import make_sender
from scheduler.config import DatadogAgent, DatadogSettings, SettingsError, load_settings
from tests.test_config import REQUIRED

KEY = "0123456789abcdef0123456789abcdef"


def datadog(**environment: str) -> DatadogSettings | None:
    return load_settings(REQUIRED | environment).datadog


def agent(**environment: str) -> DatadogAgent | None:
    settings = datadog(**environment)
    return settings.agent if settings else None


def told(**environment: str) -> str:
    """What is wrong with the environment."""
    with pytest.raises(SettingsError) as caught:
        datadog(**environment)
    return str(caught.value)


def test_nobody_is_told_unless_somebody_is_named() -> None:
    """Tags and a site are nobody."""
    assert datadog() is None
    assert make_sender(load_settings(REQUIRED)) is None
    assert datadog(DD_ENV="prod", DD_SERVICE="agents", DD_VERSION="1", DD_SITE="datadoghq.eu") is None


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"DD_AGENT_HOST": "10.0.0.1"}, DatadogAgent(host="10.0.0.1")),
        ({"DD_AGENT_HOST": "dd", "DD_DOGSTATSD_PORT": "9125"}, DatadogAgent(host="dd", port=9125)),
        ({"DD_DOGSTATSD_URL": "udp://dd:9125"}, DatadogAgent(host="dd", port=9125)),
        ({"DD_DOGSTATSD_URL": "udp://dd"}, DatadogAgent(host="dd")),
        (
            {"DD_DOGSTATSD_URL": "unix:///var/run/datadog/dsd.socket", "DD_AGENT_HOST": "dd"},
            DatadogAgent(socket="unix:///var/run/datadog/dsd.socket"),
        ),
    ],
)
def test_the_agent_is_found_as_datadogs_clients_find_it(
    environment: dict[str, str], expected: DatadogAgent
) -> None:
    """A host, a host and a port, or a URL, which wins."""
    assert agent(**environment) == expected


def test_a_key_alone_is_enough() -> None:
    """Then the API is told, of the site that is named or of Datadog's first one."""
    assert datadog(DATADOG_API_KEY=KEY) == DatadogSettings(
        agent=None,
        api_key=KEY,
        api_url="https://api.datadoghq.com",
        tags=("ecs_cluster:ci", "autoscaling_group:ci-agents"),
    )


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({"DD_SITE": "datadoghq.eu"}, "https://api.datadoghq.eu"),
        ({"DATADOG_HOST": "https://proxy.example", "DD_SITE": "us5.datadoghq.com"}, "https://proxy.example"),
    ],
)
def test_the_site_is_honoured(environment: dict[str, str], url: str) -> None:
    """The library does not read it; a whole URL wins, as with the library."""
    settings = datadog(DATADOG_API_KEY=KEY, **environment)
    assert settings is not None
    assert settings.api_url == url


def test_the_key_may_be_in_a_file(tmp_path: Path) -> None:
    """As a secret that is mounted, with the line's end that editors leave."""
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    settings = datadog(DATADOG_API_KEY_FILE=str(file))
    assert settings is not None
    assert settings.api_key == KEY


def test_unified_tags_go_with_everything() -> None:
    """Environment, service and version, by which Datadog joins what it has; and the cluster by its name."""
    arn = "arn:aws:ecs:us-east-1:123456789012:cluster/ci"
    settings = datadog(
        DD_AGENT_HOST="dd", DD_ENV="prod", DD_SERVICE="agents", DD_VERSION="1.2", ECS_CLUSTER=arn
    )
    assert settings is not None
    assert settings.tags == (
        "env:prod",
        "service:agents",
        "version:1.2",
        "ecs_cluster:ci",
        "autoscaling_group:ci-agents",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DD_DOGSTATSD_URL", "http://dd:8125"),
        ("DD_DOGSTATSD_URL", "udp://dd:99999"),
        ("DD_DOGSTATSD_URL", "unix://"),
        ("DD_DOGSTATSD_PORT", "0"),
        ("DD_SITE", "https://datadoghq.eu/"),
        ("DATADOG_HOST", "proxy.example"),
        ("DATADOG_API_KEY_FILE", "/nonexistent/key"),
        ("DATADOG_API_KEY", "two words"),
    ],
)
def test_a_wrong_value_names_its_variable(name: str, value: str) -> None:
    """Before anything is started."""
    assert f"{name}: " in told(**{name: value})


def test_an_empty_key_file_is_a_mistake(tmp_path: Path) -> None:
    """Whoever names a file wants Datadog to be told."""
    file = tmp_path / "key"
    file.write_text("\n")
    assert "DATADOG_API_KEY_FILE: the file is empty" in told(DATADOG_API_KEY_FILE=str(file))


def test_the_key_is_shown_nowhere() -> None:
    """Neither by a complaint about it nor where settings are printed."""
    assert KEY not in told(DATADOG_API_KEY=f"{KEY}\u00e9")
    assert KEY not in repr(load_settings(REQUIRED | {"DATADOG_API_KEY": KEY}))
