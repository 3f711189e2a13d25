"""Settings: read from the environment that is handed in, and complained about all at once."""

import pytest

from scheduler.config import PREFIX, LogLimits, SettingsError, TlsFiles, load_settings
from scheduler.core.model.allow_lists import AllowLists, HostFolder
from scheduler.core.model.policy import Policy

REQUIRED = {"ECS_ASG": "ci-agents", "ECS_CLUSTER": "ci", "ECS_TASK_DEF": "agents"}


def told(environment: dict[str, str]) -> str:
    """What is wrong with the environment."""
    with pytest.raises(SettingsError) as caught:
        load_settings(environment)
    return str(caught.value)


def test_three_variables_are_enough() -> None:
    """The group, the cluster and the family must be named; everything else has a default."""
    settings = load_settings(REQUIRED)
    assert (settings.group, settings.cluster, settings.agents.family) == ("ci-agents", "ci", "agents")
    assert settings.policy == Policy()
    assert (settings.listen, settings.insecure_listen) == ("127.0.0.1:50051", False)
    assert (settings.aws_share, settings.drain_delay_s, settings.stop_grace_s) == (0.5, 5.0, 10.0)


def test_all_missing_variables_are_named_in_one_error() -> None:
    """Whoever starts the service for the first time learns everything at the first attempt."""
    assert told({}) == "settings: not set: ECS_ASG, ECS_CLUSTER, ECS_TASK_DEF"


def test_a_present_variable_is_not_called_missing() -> None:
    """Only what is missing is named."""
    assert told({"ECS_CLUSTER": "ci"}) == "settings: not set: ECS_ASG, ECS_TASK_DEF"


def test_wrong_and_missing_variables_are_told_together() -> None:
    """One error names all that is wrong: unset, out of range, no number, and a log option without a value."""
    message = told(
        {
            "ECS_CLUSTER": "ci",
            "ECS_TASK_DEF": "no spaces allowed",
            "ECS_LOGOPTIONS": "awslogs-group",
            "ECS_SCHEDULER_AWS_SHARE": "2",
            "ECS_SCHEDULER_TASK_POLL_MS": "soon",
        }
    )
    for name in ("ECS_ASG", "ECS_TASK_DEF", "awslogs-group", "AWS_SHARE", "TASK_POLL_MS"):
        assert name in message


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ECS_SCHEDULER_TASK_POLL_MS", "abc", "an integer from 100 to 600000"),
        ("ECS_SCHEDULER_AWS_SHARE", "2", "a number above 0 and of at most 1"),
        ("ECS_SCHEDULER_INSECURE_LISTEN", "perhaps", "true or false"),
        ("ECS_SCHEDULER_STORE", "", "text of at least 1 character"),
        ("ECS_TASK_DEF", "a b", "text that matches ^[A-Za-z0-9_-]{1,255}$"),
        (
            "ECS_SCHEDULER_GROWTH_PAUSES_MS",
            "1,x",
            "one or more, separated by commas, of an integer from 100 to 600000",
        ),
        ("ECS_SCHEDULER_FOREIGN_INSTANCES", "eat", "one of report, terminate"),
    ],
)
def test_what_was_expected_and_what_is_there_is_told(name: str, value: str, expected: str) -> None:
    """In words of this service: whoever reads it need not know what it is written with."""
    assert told(REQUIRED | {name: value}) == f"settings: {name}: expected {expected}, got {value!r}"


def test_a_long_value_is_told_in_part() -> None:
    """A file that was pasted into a variable does not fill the screen."""
    assert len(told(REQUIRED | {"ECS_SCHEDULER_SERVICE_ID": "x" * 10_000})) < 200


def test_what_depends_on_others_is_told_with_them() -> None:
    """Half of TLS is told although a name is missing and a number is wrong."""
    message = told({"ECS_SCHEDULER_TLS_KEY": "s.key", "ECS_SCHEDULER_AWS_SHARE": "2"})
    for words in ("not set: ECS_ASG", "AWS_SHARE: expected", "TLS needs it: ECS_SCHEDULER_TLS_CERTIFICATE"):
        assert words in message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ECS_ASG", ""),
        ("ECS_CLUSTER", ""),
        ("ECS_TASK_DEF", "arn:aws:ecs:us-east-1:123456789012:task-definition/agents"),
        ("ECS_SCHEDULER_INSECURE_LISTEN", "perhaps"),
        ("ECS_SCHEDULER_STORE", ""),
        ("ECS_SCHEDULER_AWS_SHARE", "0"),
        ("ECS_SCHEDULER_AWS_SHARE", "1.01"),
        ("ECS_SCHEDULER_DRAIN_DELAY_S", "-1"),
        ("ECS_SCHEDULER_STOP_GRACE_S", "301"),
        ("ECS_SCHEDULER_SERVICE_ID", "x" * 129),
    ],
)
def test_a_wrong_value_names_its_variable(name: str, value: str) -> None:
    """A value out of its range is refused under the variable's own name."""
    assert f"{name}: " in told(REQUIRED | {name: value})


def test_log_options_take_the_values_of_the_variables_they_name() -> None:
    """ECS_LOGOPTIONS names variables; white space around the names and empty names do not count."""
    settings = load_settings(
        REQUIRED
        | {"ECS_LOGDRIVER": " awslogs ", "ECS_LOGOPTIONS": "awslogs-group, awslogs-region,"}
        | {"awslogs-group": "agents", "awslogs-region": "eu-west-1"}
    )
    assert settings.agents.log_driver == "awslogs"
    assert settings.agents.log_options == (("awslogs-group", "agents"), ("awslogs-region", "eu-west-1"))


def test_a_log_option_without_its_variable_is_named() -> None:
    """An option that is asked for and not set is a mistake, not an option without a value."""
    assert "awslogs-group" in told(REQUIRED | {"ECS_LOGOPTIONS": "awslogs-group"})


ROLE = "arn:aws:iam::123456789012:role/agents"


def test_what_agents_get_of_their_surroundings_can_be_set() -> None:
    """Roles, docker-in-docker, and what requests may name beyond them; white space does not count."""
    settings = load_settings(
        REQUIRED
        | {PREFIX + "TASK_ROLE_ARN": ROLE, PREFIX + "EXECUTION_ROLE_ARN": ROLE + "-start"}
        | {
            PREFIX + "DIND_STORAGE_DRIVER": "btrfs",
            PREFIX + "DIND_IMAGE_OVERRIDES": "docker:1-dind=b:2, c:3=d",
        }
        | {
            PREFIX + "ALLOWED_HOST_FOLDERS": "/a=:/b,web-*=/c/d:/e,m2:/f,x=m2:/g",
            PREFIX + "ALLOWED_TASK_ROLES": f"{ROLE}*, x ",
        }
        | {PREFIX + "ALLOWED_EXECUTION_ROLES": "y", PREFIX + "PRIVILEGED_TENANTS": "mobile,web-*"}
    )
    agents = settings.agents
    assert (agents.task_role_arn, agents.execution_role_arn) == (ROLE, ROLE + "-start")
    assert (agents.storage_driver, agents.image_overrides) == (
        "btrfs",
        (("docker:1-dind", "b:2"), ("c:3", "d")),
    )
    assert settings.allowed == AllowLists(
        host_folders=(
            HostFolder("/a=", "/b"),
            HostFolder("/c/d", "/e", "web-*"),
            HostFolder("m2", "/f"),
            HostFolder("m2", "/g", "x"),
        ),
        task_roles=(ROLE + "*", "x"),
        execution_roles=("y",),
        privileged_tenants=("mobile", "web-*"),
    )


def test_instance_types_are_names_separated_by_commas() -> None:
    """For groups that choose theirs by requirements; none is the default, and an empty list is none."""
    names = "m5.large, u-6tb1.112xlarge ,m7i.metal-24xl,"
    settings = load_settings(REQUIRED | {PREFIX + "INSTANCE_TYPES": names})
    assert settings.instance_types == ("m5.large", "u-6tb1.112xlarge", "m7i.metal-24xl")
    for environment in (REQUIRED, REQUIRED | {PREFIX + "INSTANCE_TYPES": ""}):
        assert load_settings(environment).instance_types == ()


def test_nothing_beyond_the_metrics_folder_is_allowed_unless_set() -> None:
    """And privileges, which every tenant had before; an empty list allows nothing."""
    assert load_settings(REQUIRED).allowed == AllowLists()
    closed = {PREFIX + "ALLOWED_HOST_FOLDERS": "", PREFIX + "PRIVILEGED_TENANTS": ""}
    allowed = load_settings(REQUIRED | closed).allowed
    assert (allowed.host_folders, allowed.privileged_tenants) == ((), ())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TASK_ROLE_ARN", "agents"),
        ("EXECUTION_ROLE_ARN", "arn:aws:iam::1:role/x"),
        ("DIND_STORAGE_DRIVER", ""),
        ("DIND_IMAGE_OVERRIDES", "docker:1-dind"),
        ("INSTANCE_TYPES", "m5"),
        ("INSTANCE_TYPES", "m5.large m5.xlarge"),
        ("INSTANCE_TYPES", "m5.large:2048:8192"),
        ("INSTANCE_TYPES", "m5.*"),
        ("ALLOWED_HOST_FOLDERS", "/a"),
        ("ALLOWED_HOST_FOLDERS", "a:/b"),
        ("ALLOWED_HOST_FOLDERS", "Web=/a:/b"),
        ("ALLOWED_HOST_FOLDERS", "m2:b"),
    ],
)
def test_surroundings_that_are_wrong_are_named(name: str, value: str) -> None:
    """Before the first agent misses them."""
    assert f"{PREFIX}{name}: expected text that matches" in told(REQUIRED | {PREFIX + name: value})


def test_a_secret_log_option_needs_a_role_that_fetches_it() -> None:
    """ECS would refuse every definition."""
    secret = {"ECS_LOGDRIVER": "splunk", "ECS_LOGOPTIONS": "splunk-token"} | {
        "splunk-token": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:splunk-AbCdEf"
    }
    assert PREFIX + "EXECUTION_ROLE_ARN" in told(REQUIRED | secret)
    assert load_settings(REQUIRED | secret | {PREFIX + "EXECUTION_ROLE_ARN": ROLE}).agents.log_options


def test_the_service_id_is_the_cluster_and_its_group_unless_set() -> None:
    """One scheduler leads one cluster and group, so their names mark its tasks."""
    assert load_settings(REQUIRED).service_id == "ci/ci-agents"
    assert load_settings(REQUIRED | {"ECS_SCHEDULER_SERVICE_ID": "blue"}).service_id == "blue"


def test_a_clusters_name_and_its_arn_make_one_service_id() -> None:
    """Whoever writes the other one tomorrow still knows the tasks and revisions of today."""
    arn = "arn:aws:ecs:eu-west-1:123456789012:cluster/ci"
    assert load_settings(REQUIRED | {"ECS_CLUSTER": arn}).service_id == "ci/ci-agents"


@pytest.mark.parametrize(
    "variables", [{"ECS_ASG": "a&b"}, {"ECS_ASG": "x" * 255}, {"ECS_SCHEDULER_SERVICE_ID": "a,b"}]
)
def test_a_service_id_that_is_no_value_of_a_tag_is_refused(variables: dict[str, str]) -> None:
    """AWS would refuse every start for it; a group's name may have characters that a tag may not."""
    assert "ECS_SCHEDULER_SERVICE_ID: set one that a tag can have" in told(REQUIRED | variables)
    if "ECS_ASG" in variables:
        assert load_settings(REQUIRED | variables | {"ECS_SCHEDULER_SERVICE_ID": "Köln 1: a/b@c"}).service_id


def test_only_the_environment_that_is_handed_in_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process's own variables are the caller's business: what was not handed in is not there."""
    monkeypatch.setenv("ECS_ASG", "somebody-elses")
    monkeypatch.setenv("ECS_SCHEDULER_LISTEN", "127.0.0.1:1")
    assert load_settings(REQUIRED).listen == "127.0.0.1:50051"
    assert told({"ECS_CLUSTER": "ci", "ECS_TASK_DEF": "agents"}) == "settings: not set: ECS_ASG"


def test_tls_needs_a_certificate_and_its_key() -> None:
    """Both or neither; the CA of clients is optional, and empty is not set."""
    pair = {"ECS_SCHEDULER_TLS_CERTIFICATE": "s.pem", "ECS_SCHEDULER_TLS_KEY": "s.key"}
    assert load_settings(REQUIRED).tls is None
    assert load_settings(REQUIRED | dict.fromkeys(pair, "")).tls is None
    assert load_settings(REQUIRED | pair).tls == TlsFiles(certificate="s.pem", key="s.key")
    mutual = load_settings(REQUIRED | pair | {"ECS_SCHEDULER_TLS_CLIENT_CA": "ca.pem"}).tls
    assert mutual == TlsFiles(certificate="s.pem", key="s.key", client_ca="ca.pem")


@pytest.mark.parametrize(
    ("given", "unset"),
    [
        ("TLS_CERTIFICATE", "ECS_SCHEDULER_TLS_KEY"),
        ("TLS_KEY", "ECS_SCHEDULER_TLS_CERTIFICATE"),
        ("TLS_CLIENT_CA", "ECS_SCHEDULER_TLS_CERTIFICATE, ECS_SCHEDULER_TLS_KEY"),
    ],
)
def test_half_of_tls_is_refused(given: str, unset: str) -> None:
    """Whoever sets a part of TLS believes to be protected: what is missing is named."""
    assert told(REQUIRED | {PREFIX + given: "x"}) == f"settings: not set, and TLS needs it: {unset}"


def test_an_unknown_variable_of_ours_is_refused() -> None:
    """A typing error would silently leave a default in place: the nearest name is suggested."""
    message = told({"ECS_SCHEDULER_LISTN": "127.0.0.1:1", "ECS_SCHEDULER_TASK_POL_MS": "9"})
    assert "ECS_SCHEDULER_LISTN is unknown; is ECS_SCHEDULER_LISTEN meant?" in message
    assert "ECS_SCHEDULER_TASK_POL_MS is unknown; is ECS_SCHEDULER_TASK_POLL_MS meant?" in message
    assert "not set: ECS_ASG" in message


def test_an_unknown_variable_like_no_other_is_refused() -> None:
    """Where nothing is near, nothing is suggested."""
    assert told(REQUIRED | {"ECS_SCHEDULER_ZZZ": ""}) == "settings: ECS_SCHEDULER_ZZZ is unknown"


@pytest.mark.parametrize("name", ["ADDRESS", "TLS", "TLS_CA", "TLS_CLIENT_CERTIFICATE", "TLS_CLIENT_KEY"])
def test_the_clients_variables_are_known(name: str) -> None:
    """The variables of the client commands may be set where the service runs too."""
    assert load_settings(REQUIRED | {PREFIX + name: "x:1"}) == load_settings(REQUIRED)


def test_a_log_option_may_have_any_name() -> None:
    """A variable that ECS_LOGOPTIONS names is known, whatever it is called."""
    named = {"ECS_LOGOPTIONS": "ECS_SCHEDULER_TAG", "ECS_SCHEDULER_TAG": "x"}
    assert load_settings(REQUIRED | named).agents.log_options == (("ECS_SCHEDULER_TAG", "x"),)


def test_other_variables_do_not_matter() -> None:
    """An environment holds many things that are none of ours."""
    assert load_settings(REQUIRED | {"PATH": "/bin", "group": "x"}) == load_settings(REQUIRED)


def test_logs_are_read_at_our_share_of_the_account() -> None:
    """Of what CloudWatch Logs answers in the region, which can be told."""
    told = {"ECS_SCHEDULER_LOG_READS_PER_S": "25", "ECS_SCHEDULER_AWS_SHARE": "0.2"}
    assert load_settings(REQUIRED | told).logs.reads_per_s == 5.0
    assert load_settings(REQUIRED).logs == LogLimits()
