"""Where the server may listen: until it knows its clients, on this machine only."""

from ipaddress import ip_address


class ServerAddressError(Exception):
    """The server cannot listen there; the message is one line for an operator."""


def refuse_open_listener(address: str, insecure_listen: bool) -> None:
    """The one check: nothing but loopback, unless the operator says that the network is trusted.

    There is no authentication: whoever reaches the port may run containers and read builds.
    """
    if not insecure_listen and not _is_local(address):
        raise ServerAddressError(
            f"refusing to listen on {address}: there is no authentication, so only loopback addresses are "
            "allowed unless insecure_listen is set"
        )


def _is_local(address: str) -> bool:
    if address.startswith(("unix:", "unix-abstract:")):
        return True
    target = address.removeprefix("ipv4:").removeprefix("ipv6:")
    host = target.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
