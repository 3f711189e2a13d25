"""Acts: what befalls an account without any API call, asked for by name, as the HTTP front hands it on."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scheduler.simulated_aws.account import SimulatedAws

_HUMP = re.compile(r"(?<=[a-z0-9])[A-Z]")
_KINDS = {str: "a text", int: "a whole number from 0", bool: "true or false"}


@dataclass(frozen=True, slots=True)
class Act:
    """A method of the account, with its parameters as JSON spells and types them."""

    carry_out: Callable[..., None]
    required: Mapping[str, type]
    optional: Mapping[str, type] = field(default_factory=dict)


_INSTANCE = {"ec2InstanceId": str}

ACTS: Mapping[str, Act] = {
    "set_agent_connected": Act(SimulatedAws.set_agent_connected, {**_INSTANCE, "connected": bool}),
    "set_start_failure": Act(SimulatedAws.set_start_failure, _INSTANCE, {"reason": str}),
    "set_stops_hang": Act(SimulatedAws.set_stops_hang, {**_INSTANCE, "hang": bool}),
    "set_listed": Act(SimulatedAws.set_listed, {**_INSTANCE, "listed": bool}),
    "set_unhealthy": Act(SimulatedAws.set_unhealthy, _INSTANCE),
    "rebalance_zones": Act(SimulatedAws.rebalance_zones, {}),
    "reregister": Act(SimulatedAws.reregister, _INSTANCE),
    "terminate_instance": Act(SimulatedAws.terminate_instance, _INSTANCE, {"spot": bool}),
    "fail_launches": Act(SimulatedAws.fail_launches, {"count": int, "message": str}),
    "set_next_launches_never_join": Act(SimulatedAws.set_next_launches_never_join, {"count": int}),
    "set_group_limits": Act(SimulatedAws.set_group_limits, {"minSize": int, "maxSize": int}),
    "set_desired": Act(SimulatedAws.set_desired, {"desiredCapacity": int}),
    "register_revisions": Act(SimulatedAws.register_revisions, {"family": str, "count": int}),
}


def perform(account: SimulatedAws, request: Mapping[str, Any]) -> None:
    """Carry out `{"act": name, ...parameters}`; ValueError or LookupError says in one line what is wrong."""
    name = request.get("act")
    act = ACTS.get(name) if isinstance(name, str) else None
    if act is None:
        raise ValueError(f"act must be one of {', '.join(ACTS)}, not {name!r}")
    given = {key: value for key, value in request.items() if key != "act"}
    known = {**act.required, **act.optional}
    if missing := act.required.keys() - given.keys():
        raise ValueError(f"{name} needs {', '.join(sorted(missing))}")
    if unknown := given.keys() - known.keys():
        raise ValueError(f"{name} takes {', '.join(known)}, not {', '.join(sorted(unknown))}")
    act.carry_out(account, **{_snake(key): _checked(key, value, known[key]) for key, value in given.items()})


def _checked(key: str, value: object, kind: type) -> object:
    # bool is an int to Python, and true is no number to whoever sends it.
    if type(value) is not kind or (isinstance(value, int) and value < 0):
        raise ValueError(f"{key} must be {_KINDS[kind]}, not {value!r}")
    return value


def _snake(name: str) -> str:
    return _HUMP.sub(lambda hump: "_" + hump[0].lower(), name)
