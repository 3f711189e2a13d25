"""Handshakes that fail: what gRPC says of them, in words that name what to correct.

gRPC tells every failed connection as UNAVAILABLE; why, only its details say, in the words of BoringSSL. A
server that is not content with its client merely ends the connection: in TLS 1.3 the client has finished by
then.
"""

from dataclasses import dataclass

import grpc

from scheduler.client.refusal import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A piece of the details, and what it means to a client that talks TLS, or plain text."""

    said: str
    by_tls: str = ""
    in_plain_text: str = ""


_ROWS = (
    _Row(said="certificate has expired", by_tls="the service's certificate has expired"),
    _Row(said="certificate is not yet valid", by_tls="the service's certificate is not valid yet"),
    _Row(
        said="Hostname Verification Check failed",
        by_tls="the service's certificate is for another name than this address",
    ),
    _Row(
        said="CERTIFICATE_VERIFY_FAILED",
        by_tls="the service's certificate is not vouched for: not by --tls-ca, or without it by a public CA",
    ),
    _Row(
        said="WRONG_VERSION_NUMBER",
        by_tls="the service does not talk TLS; leave out --tls and --tls-ca",
    ),
    # While connecting; of a connection that served for a while gRPC says otherwise.
    _Row(
        said="failed to connect to all addresses; last error: UNAVAILABLE",
        by_tls="the service ended the handshake; it asks for another --tls-certificate, or for one at all",
        in_plain_text="the service ended the connection; if it talks TLS, give --tls or --tls-ca",
    ),
)
"""In order: the first row that says something decides."""


def handshake_problem(refusal: Refusal, *, tls: bool) -> str:
    """What is wrong between this client and that server; empty if that is not it, or cannot be told."""
    if refusal.code is not grpc.StatusCode.UNAVAILABLE or refusal.reason:
        return ""
    return next(
        (
            words
            for row in _ROWS
            for words in [row.by_tls if tls else row.in_plain_text]
            if words and row.said in refusal.message
        ),
        "",
    )
