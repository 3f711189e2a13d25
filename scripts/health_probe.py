"""The container's health check: asks gRPC's own health service, exits 0 only for SERVING.

Needs nothing but grpcio. The empty request asks for the server as a whole; the expected answer is
HealthCheckResponse{status: SERVING} as bytes: field 1, varint 1.

With TLS it trusts the certificate that the server shows, whoever has signed it and for whatever name: it asks
whether the server serves, not who it is. A server that asks its clients for certificates lets no probe in: of
that it only sees that somebody answers at the port.
"""

import os
import socket
import ssl
import sys
from collections.abc import Mapping
from typing import Any

import grpc

SERVING = b"\x08\x01"
TIMEOUT_S = 2


def main() -> int:
    """Probe `127.0.0.1:50051`, or the address given as the only argument."""
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051"
    try:
        return 0 if serves(address, os.environ) else 1
    except (OSError, grpc.RpcError) as error:
        why = error.code().name if isinstance(error, grpc.RpcError) else error
        print(f"{address}: {why}", file=sys.stderr)
        return 1


def serves(address: str, settings: Mapping[str, str]) -> bool:
    """Whether it answers as it should. Raises OSError or grpc.RpcError if nobody does."""
    if settings.get("ECS_SCHEDULER_TLS_CLIENT_CA"):
        connected(address).close()
        return True
    by_tls = bool(settings.get("ECS_SCHEDULER_TLS_CERTIFICATE"))
    with secure_channel(address) if by_tls else grpc.insecure_channel(address) as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check", bytes, bytes)
        return bool(check(b"", timeout=TIMEOUT_S) == SERVING)


def secure_channel(address: str) -> grpc.Channel:
    """Trusts what the server shows now, which may be older than its file."""
    shown = ssl.get_server_certificate(host_and_port(address), timeout=TIMEOUT_S)
    name = ("grpc.ssl_target_name_override", certified_name(address, shown))
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(shown.encode()), options=(name,))


def certified_name(address: str, shown: str) -> str:
    """A name that this certificate is for: Python takes it apart only after a handshake that trusts it."""
    context = ssl.create_default_context(cadata=shown)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    with context.wrap_socket(connected(address)) as tls:
        parts: dict[str, Any] = dict(tls.getpeercert() or {})
    names = [name for _, name in parts.get("subjectAltName", ())]
    names += [value for each in parts["subject"] for kind, value in each if kind == "commonName"]
    return str(names[0]).replace("*", "health")


def connected(address: str) -> socket.socket:
    """A connection to the port."""
    return socket.create_connection(host_and_port(address), timeout=TIMEOUT_S)


def host_and_port(address: str) -> tuple[str, int]:
    """The two parts of HOST:PORT."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


if __name__ == "__main__":
    sys.exit(main())
