"""Where the server may listen: unless it has TLS, on this machine only."""

import re
from ipaddress import ip_address

LAST_PORT = 65_535
_PORT = re.compile(r"[0-9]{1,5}")
_SOCKET_FILE = ("unix:", "unix-abstract:")


class ServerAddressError(Exception):
    """The server cannot listen there; the message is one line for an operator."""


class MalformedAddress(ServerAddressError):
    """It is no address at all."""


def host_and_port(address: str) -> tuple[str, int]:
    """The two parts of HOST:PORT. Raises MalformedAddress.

    gRPC itself takes a port modulo 65,536 and listens where nobody looks.
    """
    host, colon, port = address.rpartition(":")
    if not colon:
        raise MalformedAddress(f"{address!r} has no port: expected HOST:PORT")
    if not _PORT.fullmatch(port) or int(port) > LAST_PORT:
        raise MalformedAddress(f"expected HOST:PORT with a port from 0 to {LAST_PORT}, not {address!r}")
    return host, int(port)


def check_address(address: str) -> None:
    """Whether a server can be told to listen there. Raises MalformedAddress."""
    if not address.startswith(_SOCKET_FILE):
        host_and_port(address)


def with_port(address: str, port: int) -> str:
    """The address as it is served: with the port that the system has chosen for 0, if it has one at all."""
    return address if address.startswith(_SOCKET_FILE) else f"{address.rpartition(':')[0]}:{port}"


def refuse_open_listener(address: str, insecure_listen: bool) -> None:
    """Without TLS nothing but loopback, unless the operator says that the network is trusted.

    Whoever reaches the port may run containers and read builds.
    """
    if not insecure_listen and not _is_local(address):
        raise ServerAddressError(
            f"refusing to listen on {address}: there is no authentication, so only loopback addresses are "
            "allowed without TLS (ECS_SCHEDULER_TLS_CERTIFICATE) or --insecure-listen "
            "(ECS_SCHEDULER_INSECURE_LISTEN)"
        )


def _is_local(address: str) -> bool:
    if address.startswith(_SOCKET_FILE):
        return True
    target = address.removeprefix("ipv4:").removeprefix("ipv6:")
    host = target.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
