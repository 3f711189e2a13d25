"""Settings: read once from the environment, validated, frozen. Nobody else reads the environment.

The names of the system that this one replaces keep their meaning (`ECS_ASG`, `ECS_CLUSTER`, `ECS_TASK_DEF`,
`ECS_LOGDRIVER`, `ECS_LOGOPTIONS`); everything else is `ECS_SCHEDULER_*` and has a default. Every number of
`Policy` is a setting of its own: `max_starting_per_instance` is `ECS_SCHEDULER_MAX_STARTING_PER_INSTANCE`.
"""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, PositiveInt, TypeAdapter, ValidationError

from scheduler.core.agents import AgentSettings
from scheduler.core.model.policy import Policy

PREFIX = "ECS_SCHEDULER_"


class SettingsError(Exception):
    """The environment is incomplete or wrong; the message names every variable concerned."""


class _Environment(BaseModel):
    """The environment as it is, each variable with its type."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    group: str = Field(validation_alias="ECS_ASG", min_length=1)
    cluster: str = Field(validation_alias="ECS_CLUSTER", min_length=1)
    family: str = Field(validation_alias="ECS_TASK_DEF", pattern=r"^[A-Za-z0-9_-]{1,255}$")
    log_driver: str = Field("", validation_alias="ECS_LOGDRIVER")
    listen: str = Field("127.0.0.1:50051", validation_alias=PREFIX + "LISTEN")
    insecure_listen: bool = Field(False, validation_alias=PREFIX + "INSECURE_LISTEN")
    store: str = Field("ecs-scheduler.sqlite3", validation_alias=PREFIX + "STORE", min_length=1)
    service_id: str = Field("", validation_alias=PREFIX + "SERVICE_ID", max_length=128)
    aws_share: float = Field(0.5, validation_alias=PREFIX + "AWS_SHARE", gt=0, le=1)
    drain_delay_s: float = Field(5.0, validation_alias=PREFIX + "DRAIN_DELAY_S", ge=0, le=300)
    stop_grace_s: float = Field(10.0, validation_alias=PREFIX + "STOP_GRACE_S", ge=0, le=300)
    observe_only: bool = Field(False, validation_alias=PREFIX + "OBSERVE_ONLY")
    tls_certificate: str = Field("", validation_alias=PREFIX + "TLS_CERTIFICATE")
    tls_key: str = Field("", validation_alias=PREFIX + "TLS_KEY")
    tls_client_ca: str = Field("", validation_alias=PREFIX + "TLS_CLIENT_CA")


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """Paths of PEM files: the server's certificate chain and its key.

    With `client_ca` every client must present a certificate that one of these authorities has signed.
    """

    certificate: str
    key: str
    client_ca: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set.

    `listen` is host:port, other than loopback only with `tls` or `insecure_listen`; `tls` is None for plain
    text; `store` is the path of the store's file; `service_id` marks our tasks; `aws_share` is our share of
    the account's read budgets (0 to 1); `drain_delay_s` is served on as NOT_SERVING before stopping,
    `stop_grace_s` is what calls in flight get after that, both in real seconds. With `observe_only` nothing
    is done to AWS, and what would be done is told.
    """

    cluster: str
    group: str
    agents: AgentSettings
    policy: Policy
    listen: str
    insecure_listen: bool
    tls: TlsFiles | None = None
    store: str
    service_id: str
    aws_share: float
    drain_delay_s: float
    stop_grace_s: float
    observe_only: bool = False


KNOWN = sorted(
    {PREFIX + field.name.upper() for field in fields(Policy)}
    | {str(field.validation_alias) for field in _Environment.model_fields.values()}
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
    policy = _policy(environment, problems)
    tls = None if read is None else _tls(read, problems)
    problems += _unknown(environment, {name for name, _ in log_options})
    if read is None or problems:
        raise SettingsError("settings: " + "; ".join(problems))
    return Settings(
        cluster=read.cluster,
        group=read.group,
        agents=AgentSettings(
            family=read.family,
            cluster=read.cluster,
            log_driver=read.log_driver.strip(),
            log_options=log_options,
        ),
        policy=policy,
        listen=read.listen,
        insecure_listen=read.insecure_listen,
        tls=tls,
        store=read.store,
        service_id=read.service_id or f"{read.cluster}/{read.group}",
        aws_share=read.aws_share,
        drain_delay_s=read.drain_delay_s,
        stop_grace_s=read.stop_grace_s,
        observe_only=read.observe_only,
    )


def _read(environment: Mapping[str, str], problems: list[str]) -> _Environment | None:
    """The variables of a fixed name, or None and what is wrong with them."""
    try:
        return _Environment.model_validate(dict(environment))
    except ValidationError as error:
        found = error.errors()
    unset = [str(each["loc"][0]) for each in found if each["type"] == "missing"]
    if unset:
        problems.append(f"not set: {', '.join(unset)}")
    problems += [f"{each['loc'][0]}: {each['msg']}" for each in found if each["type"] != "missing"]
    return None


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


def _unknown(environment: Mapping[str, str], named: Container[str]) -> Iterator[str]:
    """Variables of ours that nobody reads: a typing error would silently leave a default in place."""
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in KNOWN and name not in named:
            near = get_close_matches(name.removeprefix(PREFIX), _OWN, n=1, cutoff=_NEAR)
            yield f"{name} is unknown" + (f"; is {PREFIX}{near[0]} meant?" if near else "")


def _log_options(environment: Mapping[str, str], problems: list[str]) -> tuple[tuple[str, str], ...]:
    """Options of the log driver: comma-separated names of variables, each an option of the same name."""
    names = environment.get("ECS_LOGOPTIONS", "").split(",")
    wanted = [name.strip() for name in names if name.strip()]
    missing = [name for name in wanted if name not in environment]
    if missing:
        problems.append(f"ECS_LOGOPTIONS names variables that are not set: {', '.join(missing)}")
    return tuple((name, environment[name]) for name in wanted if name in environment)


def _policy(environment: Mapping[str, str], problems: list[str]) -> Policy:
    """The policy with every number that is set; lists are comma-separated."""
    given: dict[str, Any] = {}
    for field in fields(Policy):
        name = PREFIX + field.name.upper()
        if name not in environment:
            continue
        try:
            given[field.name] = _number(field.type, environment[name])
        except ValidationError as error:
            problems.append(f"{name}: {error.errors()[0]['msg']}")
    return Policy(**given)


def _number(kind: Any, text: str) -> Any:
    """A number above zero, several of them, or yes or no."""
    if kind in _NUMBERS:
        return _NUMBERS[kind].validate_python(text)
    return _SEVERAL.validate_python(text.split(","))


_NUMBERS: dict[Any, TypeAdapter[Any]] = {
    int: TypeAdapter(PositiveInt),
    float: TypeAdapter(Annotated[FiniteFloat, Field(gt=0)]),
    bool: TypeAdapter(bool),
}
_SEVERAL = TypeAdapter(tuple[PositiveInt, ...])
