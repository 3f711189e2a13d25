"""Settings: read once from the environment, validated, frozen. Nobody else reads the environment.

The names of the system that this one replaces keep their meaning (`ECS_ASG`, `ECS_CLUSTER`, `ECS_TASK_DEF`,
`ECS_LOGDRIVER`, `ECS_LOGOPTIONS`); everything else is `ECS_SCHEDULER_*` and has a default. Every number of
`Policy` is a setting of its own: `max_starting_per_instance` is `ECS_SCHEDULER_MAX_STARTING_PER_INSTANCE`.
"""

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scheduler.core.agents import AgentSettings
from scheduler.core.agents.definition import is_secret_option
from scheduler.core.model.allow_lists import DEFAULT_ALLOW_LISTS, METRICS_FOLDER, AllowLists, HostFolder
from scheduler.core.model.policy import Policy
from scheduler.policy_settings import complaint, read_policy

PREFIX = "ECS_SCHEDULER_"
_TAG_VALUE = re.compile(r"[\w +=.:/@-]{1,128}")
"""What AWS takes of a tag's value (ECS API: Tag), if not so long: any other fails every start."""
_ROLE = r"^(arn:aws[a-z-]*:iam::[0-9]{12}:role/[^,]+)?$"


class SettingsError(Exception):
    """The environment is incomplete or wrong; the message names every variable concerned."""


class _Environment(BaseModel):
    """The environment as it is, each variable with its type."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    group: str = Field(validation_alias="ECS_ASG", min_length=1)
    cluster: str = Field(validation_alias="ECS_CLUSTER", min_length=1)
    family: str = Field(validation_alias="ECS_TASK_DEF", pattern=r"^[A-Za-z0-9_-]{1,255}$")
    log_driver: str = Field("", validation_alias="ECS_LOGDRIVER")
    task_role: str = Field("", validation_alias=PREFIX + "TASK_ROLE_ARN", pattern=_ROLE)
    execution_role: str = Field("", validation_alias=PREFIX + "EXECUTION_ROLE_ARN", pattern=_ROLE)
    storage_driver: str = Field(
        "overlay2", validation_alias=PREFIX + "DIND_STORAGE_DRIVER", pattern=r"^[A-Za-z0-9_-]{1,128}$"
    )
    image_overrides: str = Field(
        "", validation_alias=PREFIX + "DIND_IMAGE_OVERRIDES", pattern=r"^([^=,]+=[^=,]+(,|$))*$"
    )
    allowed_host_folders: str = Field(
        f"{METRICS_FOLDER.source}:{METRICS_FOLDER.container_path}",
        validation_alias=PREFIX + "ALLOWED_HOST_FOLDERS",
        # `TENANTS=` before it if wanted. What is no path is a Docker volume, named as Docker lets it be.
        pattern=r"^(([a-z0-9*?-]+=)?(/[^:,]*|[A-Za-z0-9][A-Za-z0-9_-]+):/[^:,]+(,|$))*$",
    )
    allowed_task_roles: str = Field("", validation_alias=PREFIX + "ALLOWED_TASK_ROLES")
    allowed_execution_roles: str = Field("", validation_alias=PREFIX + "ALLOWED_EXECUTION_ROLES")
    privileged_tenants: str = Field("*", validation_alias=PREFIX + "PRIVILEGED_TENANTS")
    listen: str = Field("127.0.0.1:50051", validation_alias=PREFIX + "LISTEN")
    insecure_listen: bool = Field(False, validation_alias=PREFIX + "INSECURE_LISTEN")
    # Names as EC2 has them: family, a dot, size.
    instance_types: str = Field(
        "", validation_alias=PREFIX + "INSTANCE_TYPES", pattern=r"^( *[a-z0-9-]+\.[a-z0-9-]+ *(,|$))*$"
    )
    store: str = Field("ecs-scheduler.sqlite3", validation_alias=PREFIX + "STORE", min_length=1)
    service_id: str = Field("", validation_alias=PREFIX + "SERVICE_ID", max_length=128)
    aws_share: float = Field(0.5, validation_alias=PREFIX + "AWS_SHARE", gt=0, le=1)
    drain_delay_s: float = Field(5.0, validation_alias=PREFIX + "DRAIN_DELAY_S", ge=0, le=300)
    stop_grace_s: float = Field(10.0, validation_alias=PREFIX + "STOP_GRACE_S", ge=0, le=300)
    log_reads_per_s: float = Field(10.0, validation_alias=PREFIX + "LOG_READS_PER_S", gt=0, le=1_000)
    log_tails_max: int = Field(100, validation_alias=PREFIX + "LOG_TAILS_MAX", ge=0, le=10_000)
    log_tails_per_tenant: int = Field(50, validation_alias=PREFIX + "LOG_TAILS_PER_TENANT", ge=0, le=10_000)
    log_patience_ms: int = Field(10_000, validation_alias=PREFIX + "LOG_PATIENCE_MS", ge=0, le=600_000)
    observe_only: bool = Field(False, validation_alias=PREFIX + "OBSERVE_ONLY")
    tls_certificate: str = Field("", validation_alias=PREFIX + "TLS_CERTIFICATE")
    tls_key: str = Field("", validation_alias=PREFIX + "TLS_KEY")
    tls_client_ca: str = Field("", validation_alias=PREFIX + "TLS_CLIENT_CA")
    datadog_agent_url: str = Field("", validation_alias="DD_DOGSTATSD_URL")
    datadog_agent_host: str = Field("", validation_alias="DD_AGENT_HOST")
    datadog_agent_port: int = Field(8125, validation_alias="DD_DOGSTATSD_PORT", ge=1, le=65_535)
    datadog_api_key: str = Field("", validation_alias="DATADOG_API_KEY")
    datadog_api_key_file: str = Field("", validation_alias="DATADOG_API_KEY_FILE")
    datadog_site: str = Field("datadoghq.com", validation_alias="DD_SITE", pattern=r"^[A-Za-z0-9.-]+$")
    datadog_api_url: str = Field("", validation_alias="DATADOG_HOST", pattern=r"^(https?://.+)?$")
    datadog_env: str = Field("", validation_alias="DD_ENV")
    datadog_service: str = Field("", validation_alias="DD_SERVICE")
    datadog_version: str = Field("", validation_alias="DD_VERSION")


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """Paths of PEM files: the server's certificate chain and its key.

    With `client_ca` every client must present a certificate that one of these authorities has signed.
    """

    certificate: str
    key: str
    client_ca: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatadogAgent:
    """Where Datadog's agent listens: `host` and `port` for UDP, else `socket`, a URL `unix:///path`."""

    host: str = ""
    port: int = 8125
    socket: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatadogSettings:
    """Whom to tell what the service does: the agent if there is one, else the API with the key.

    `tags` go with everything that is sent.
    """

    agent: DatadogAgent | None
    api_key: str = field(repr=False)
    api_url: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLimits:
    """How much of CloudWatch Logs is read.

    `reads_per_s` is ours of the account's GetLogEvents, `tails_max` how many TailLogs there may be at a time,
    `tails_per_tenant` how many of these for one tenant's tasks,
    `patience_ms` how long after a launch's end its last lines, or its stream, may still turn up.
    """

    reads_per_s: float = 5.0
    tails_max: int = 100
    tails_per_tenant: int = 50
    patience_ms: int = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set.

    `instance_types` are those that the group may launch, where it chooses them by requirements. `listen` is
    host:port, other than loopback only with `tls` or `insecure_listen`; `tls` is None for plain
    text; `store` is the path of the store's file; `service_id` marks our tasks; `aws_share` is our share of
    the account's read budgets (0 to 1); `drain_delay_s` is served on as NOT_SERVING before stopping,
    `stop_grace_s` is what calls in flight get after that, both in real seconds. With `observe_only` nothing
    is done to AWS, and what would be done is told. `datadog` is None if nobody there is to be told.
    """

    cluster: str
    group: str
    agents: AgentSettings
    policy: Policy
    instance_types: tuple[str, ...] = ()
    listen: str
    insecure_listen: bool
    tls: TlsFiles | None = None
    store: str
    service_id: str
    aws_share: float
    drain_delay_s: float
    stop_grace_s: float
    observe_only: bool = False
    logs: LogLimits = LogLimits()
    allowed: AllowLists = DEFAULT_ALLOW_LISTS
    datadog: DatadogSettings | None = None


KNOWN = sorted(
    {PREFIX + each.name.upper() for each in fields(Policy)}
    | {str(each.validation_alias) for each in _Environment.model_fields.values()}
    | {PREFIX + "ADDRESS"}
    | {PREFIX + "TLS", PREFIX + "TLS_CA", PREFIX + "TLS_CLIENT_CERTIFICATE", PREFIX + "TLS_CLIENT_KEY"}
)
"""Every variable that is read. Those of the last two lines are the client commands' own."""

_OWN = [name.removeprefix(PREFIX) for name in KNOWN if name.startswith(PREFIX)]

_NEAR = 0.8
"""Of difflib's ratio, over what follows the prefix: that alone makes short names look alike."""


def load_settings(environment: Mapping[str, str]) -> Settings:
    """The settings in `environment`. Raises SettingsError, naming all that is wrong."""
    problems: list[str] = []
    read = _read(environment, problems)
    log_options = _log_options(environment, problems)
    if not read.execution_role and any(is_secret_option(value) for _, value in log_options):
        problems.append(f"not set, and an option of the log driver needs it: {PREFIX}EXECUTION_ROLE_ARN")
    policy = read_policy(environment, PREFIX, problems)
    service_id = _service_id(read, problems)
    tls = _tls(read, problems)
    datadog = _datadog(read, problems)
    problems += _unknown(environment, {name for name, _ in log_options})
    if problems:
        raise SettingsError("settings: " + "; ".join(problems))
    return Settings(
        cluster=read.cluster,
        group=read.group,
        agents=AgentSettings(
            family=read.family,
            cluster=read.cluster,
            log_driver=read.log_driver.strip(),
            log_options=log_options,
            task_role_arn=read.task_role,
            execution_role_arn=read.execution_role,
            storage_driver=read.storage_driver,
            image_overrides=_pairs(read.image_overrides, "="),
        ),
        allowed=AllowLists(
            host_folders=tuple(_host_folder(word) for word in _words(read.allowed_host_folders)),
            task_roles=_words(read.allowed_task_roles),
            execution_roles=_words(read.allowed_execution_roles),
            privileged_tenants=_words(read.privileged_tenants),
        ),
        policy=policy,
        instance_types=_words(read.instance_types),
        listen=read.listen,
        insecure_listen=read.insecure_listen,
        tls=tls,
        store=read.store,
        service_id=service_id,
        aws_share=read.aws_share,
        drain_delay_s=read.drain_delay_s,
        stop_grace_s=read.stop_grace_s,
        observe_only=read.observe_only,
        logs=LogLimits(
            reads_per_s=read.log_reads_per_s * read.aws_share,
            tails_max=read.log_tails_max,
            tails_per_tenant=read.log_tails_per_tenant,
            patience_ms=read.log_patience_ms,
        ),
        datadog=datadog,
    )


def _read(environment: Mapping[str, str], problems: list[str]) -> _Environment:
    """The variables of a fixed name; what stands for one that is wrong is never used."""
    try:
        return _Environment.model_validate(dict(environment))
    except ValidationError as error:
        wrong = [str(each["loc"][0]) for each in error.errors()]
    if unset := [name for name in wrong if name not in environment]:
        problems.append(f"not set: {', '.join(unset)}")
    schema = _Environment.model_json_schema()
    for name in wrong:
        if name in environment:
            problems.append(complaint(name, environment[name], schema["properties"][name]))
    right = {name: text for name, text in environment.items() if name not in wrong}
    return _Environment.model_validate(dict.fromkeys(schema["required"], "unknown") | right)


def _service_id(read: _Environment, problems: list[str]) -> str:
    """The same for a cluster's name and for its ARN: our tasks and revisions are known by it."""
    service_id = read.service_id or f"{read.cluster.rpartition('/')[2]}/{read.group}"
    if not _TAG_VALUE.fullmatch(service_id):
        problems.append(
            f"{PREFIX}SERVICE_ID: set one that a tag can have, 1 to 128 letters, digits, spaces and "
            f"+ - = . _ : / @; it is {service_id[:200]!r}"
        )
    return service_id


def _tls(read: _Environment, problems: list[str]) -> TlsFiles | None:
    """A certificate and its key, or neither."""
    if read.tls_certificate and read.tls_key:
        return TlsFiles(
            certificate=read.tls_certificate, key=read.tls_key, client_ca=read.tls_client_ca or None
        )
    names = {"TLS_CERTIFICATE": read.tls_certificate, "TLS_KEY": read.tls_key}
    unset = [PREFIX + name for name, path in names.items() if not path]
    if any(names.values()) or read.tls_client_ca:
        problems.append(f"not set, and TLS needs it: {', '.join(unset)}")
    return None


def _datadog(read: _Environment, problems: list[str]) -> DatadogSettings | None:
    """Whom to tell; None without an agent and without a key."""
    agent, api_key = _datadog_agent(read, problems), _datadog_api_key(read, problems)
    if agent is None and not api_key:
        return None
    tags = {
        "env": read.datadog_env,
        "service": read.datadog_service,
        "version": read.datadog_version,
        "ecs_cluster": read.cluster.rpartition("/")[2],
        "autoscaling_group": read.group,
    }
    return DatadogSettings(
        agent=agent,
        api_key=api_key,
        api_url=read.datadog_api_url or f"https://api.{read.datadog_site}",
        tags=tuple(f"{name}:{value}" for name, value in tags.items() if value),
    )


def _datadog_agent(read: _Environment, problems: list[str]) -> DatadogAgent | None:
    """The URL wins over the host, as with Datadog's own clients."""
    if not read.datadog_agent_url:
        host = read.datadog_agent_host
        return DatadogAgent(host=host, port=read.datadog_agent_port) if host else None
    try:
        url = urlsplit(read.datadog_agent_url)
        if url.scheme == "udp" and url.hostname:
            return DatadogAgent(host=url.hostname, port=url.port or read.datadog_agent_port)
        if url.scheme in ("unix", "unixgram", "unixstream") and url.path:
            return DatadogAgent(socket=read.datadog_agent_url)
    except ValueError:
        pass  # a port that is none: it is told like any other wrong URL
    problems.append("DD_DOGSTATSD_URL: udp://HOST:PORT or unix:///PATH is expected")
    return None


def _datadog_api_key(read: _Environment, problems: list[str]) -> str:
    """The key, or what is in the file that is named; empty without either. No message ever quotes it."""
    name, key = "DATADOG_API_KEY", read.datadog_api_key
    if not key and read.datadog_api_key_file:
        name = "DATADOG_API_KEY_FILE"
        try:
            key = Path(read.datadog_api_key_file).read_text()
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{name}: cannot be read: {type(error).__name__}")
            return ""
        if not key.strip():
            problems.append(f"{name}: the file is empty")
    key = key.strip()
    if key and not (key.isascii() and key.isalnum()):
        problems.append(f"{name}: a key has only letters and digits")
    return key


def _unknown(environment: Mapping[str, str], named: Container[str]) -> Iterator[str]:
    """Variables of ours that nobody reads: a typing error would silently leave a default in place."""
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in KNOWN and name not in named:
            near = get_close_matches(name.removeprefix(PREFIX), _OWN, n=1, cutoff=_NEAR)
            yield f"{name} is unknown" + (f"; is {PREFIX}{near[0]} meant?" if near else "")


def _log_options(environment: Mapping[str, str], problems: list[str]) -> tuple[tuple[str, str], ...]:
    """Options of the log driver: comma-separated names of variables, each an option of the same name."""
    wanted = _words(environment.get("ECS_LOGOPTIONS", ""))
    missing = [name for name in wanted if name not in environment]
    if missing:
        problems.append(f"ECS_LOGOPTIONS names variables that are not set: {', '.join(missing)}")
    return tuple((name, environment[name]) for name in wanted if name in environment)


def _words(text: str) -> tuple[str, ...]:
    """What stands between commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _host_folder(text: str) -> HostFolder:
    """`SOURCE:PATH`, with `TENANTS=` before it if it is not for everybody."""
    source, _, container_path = text.partition(":")
    tenants, _, of_tenants = source.partition("=")
    if source.startswith("/") or not of_tenants:
        return HostFolder(source, container_path)
    return HostFolder(of_tenants, container_path, tenants)


def _pairs(text: str, separator: str) -> tuple[tuple[str, str], ...]:
    """What stands between commas, each a pair."""
    pairs = (word.partition(separator) for word in _words(text))
    return tuple((first.strip(), second.strip()) for first, _, second in pairs)
