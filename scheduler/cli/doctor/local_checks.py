"""Checks of what is on this machine: the store's place, and the way to Datadog."""

import os
import socket
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from scheduler.adapters.sqlite.lock import FileLock
from scheduler.cli.doctor.findings import Finding, not_checked, ok, problem, warning
from scheduler.config import DatadogAgent, DatadogSettings
from scheduler.ports.store import StoreLocked

_STORE = "store"
_DATADOG = "datadog"
_ANSWER_TIMEOUT_S = 5.0


def check_store(path: Path) -> Finding:
    """Whether it can be written and nobody has it. It is not opened: that would make or migrate it."""
    if path.is_dir():
        return problem(_STORE, f"{path} is a directory", "name a file in it")
    directory = path.absolute().parent
    if not directory.is_dir():
        return problem(_STORE, f"there is no directory {directory}", "make it, on a disk that survives")
    unwritable = [each for each in (directory, path) if each.exists() and not os.access(each, os.W_OK)]
    if unwritable:
        return problem(_STORE, f"{unwritable[0]} cannot be written", "give the service's user the right to")
    try:
        if path.with_name(f"{path.name}.lock").exists():
            FileLock(path).release()
    except StoreLocked as error:
        return warning(_STORE, str(error), "if that is the service, all is well; if not, end one of the two")
    except OSError as error:
        return problem(_STORE, f"its lock cannot be taken: {error}", "give the service's user the right to")
    return ok(_STORE, f"{path} is there" if path.exists() else f"{path} will be made")


def check_datadog(settings: DatadogSettings | None) -> Finding:
    """Whether somebody takes what is told. Without it the service works on, so little of it is a problem."""
    if settings is None:
        return ok(_DATADOG, "is not to be told anything")
    if settings.agent is not None:
        return _check_agent(settings.agent)
    return _check_key(settings)


def _check_agent(agent: DatadogAgent) -> Finding:
    if agent.socket:
        path = Path("/" + agent.socket.partition("://")[2].lstrip("/"))
        if path.is_socket():
            return ok(_DATADOG, f"an agent's socket is at {path}")
        return warning(_DATADOG, f"no socket is at {path}", "start the agent, or correct DD_DOGSTATSD_URL")
    try:
        socket.getaddrinfo(agent.host, agent.port, type=socket.SOCK_DGRAM)
    except OSError as error:
        return warning(_DATADOG, f"{agent.host}: {error}", "correct DD_AGENT_HOST or DD_DOGSTATSD_URL")
    return not_checked(_DATADOG, f"whether an agent listens at {agent.host}:{agent.port}: UDP tells nobody")


def _check_key(settings: DatadogSettings) -> Finding:
    """Datadog API: Validate API key. Nothing that is told here ever quotes the key."""
    request = Request(f"{settings.api_url}/api/v1/validate", headers={"DD-API-KEY": settings.api_key})
    try:
        with urlopen(request, timeout=_ANSWER_TIMEOUT_S):
            return ok(_DATADOG, f"{settings.api_url} takes the key")
    except HTTPError as error:
        if error.code in (401, 403):
            return problem(
                _DATADOG, f"{settings.api_url} refuses the key", "correct DATADOG_API_KEY or DD_SITE"
            )
        reason = f"HTTP {error.code}"
    except (OSError, HTTPException) as error:
        reason = str(getattr(error, "reason", error)).replace(settings.api_key, "***")
    return warning(_DATADOG, f"{settings.api_url} does not answer ({reason})", "let the service out to it")
