"""The server that a client command talks to: the options are the same for all commands, and added here."""

import inspect
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import wraps
from inspect import Parameter, Signature
from typing import Annotated, Any

import typer

from scheduler.api.certificate_check import CertificateError
from scheduler.api.tls import read_authorities, read_pair
from scheduler.cli.complaint import ExitCode, complain, give_up, give_up_on
from scheduler.cli.handshakes import handshake_problem
from scheduler.client.connection import Connection, Tls, connected
from scheduler.client.patience import Unreachable
from scheduler.client.refusal import Refusal, Refused

DEFAULT_ADDRESS = "127.0.0.1:50051"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where the service listens, and how it is talked to; without `tls` in plain text."""

    address: str
    tls: Tls | None = None

    def connected(self) -> AbstractAsyncContextManager[Connection]:
        """A connection for the length of the block. That it is waited for an answer is said once."""
        return connected(self.address, self.tls, _Notice(self))

    def problem(self, refusal: Refusal) -> str:
        """What is wrong with the handshake, if it is that."""
        return handshake_problem(refusal, tls=self.tls is not None)


class _Notice:
    """Many calls may wait for the same server: the first one speaks for all."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._is_given = False

    def __call__(self, refusal: Refusal, for_s: float) -> None:
        if not self._is_given:
            self._is_given = True
            complain(f"{self._server.address} {self._what(refusal)}; trying for {for_s:g} s")

    def _what(self, refusal: Refusal) -> str:
        if refusal.reason:
            return f"cannot serve now ({refusal.reason})"
        problem = self._server.problem(refusal)
        return f"does not answer: {problem}" if problem else "does not answer"


def client_command(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the options of `server_of`, of which its parameter `server` is made.

    A request that the service refuses ends it with 1, one that nobody answers with 3, Ctrl-C with 130.
    """
    own = inspect.signature(command).parameters
    asked = inspect.signature(server_of).parameters

    @wraps(command)
    def run(**given: Any) -> None:
        server = server_of(**{name: given.pop(name) for name in asked})
        try:
            command(**given, server=server)
        except Refused as error:
            give_up(str(error), ExitCode.REFUSED)
        except Unreachable as error:
            give_up_on(server.address, error.refusal, server.problem(error.refusal))
        except KeyboardInterrupt:
            raise typer.Exit(ExitCode.INTERRUPTED) from None

    parameters = [each for name, each in own.items() if name != "server"]
    keyword_only = [each.replace(kind=Parameter.KEYWORD_ONLY) for each in (*parameters, *asked.values())]
    # What typer reads the options from.
    run.__signature__ = Signature(keyword_only)  # type: ignore[attr-defined]  # functions have it, mypy says no
    return run


def _option(variable: str, metavar: str | None, explained: str, *names: str) -> Any:
    return typer.Option(
        *names, envvar=variable, metavar=metavar, help=explained, rich_help_panel="The service"
    )


Address = Annotated[str, _option("ECS_SCHEDULER_ADDRESS", "HOST:PORT", "Where the service listens.")]
TalkTls = Annotated[
    bool, _option("ECS_SCHEDULER_TLS", None, "Talk TLS; the options below imply it.", "--tls")
]
Authorities = Annotated[
    str | None, _option("ECS_SCHEDULER_TLS_CA", "FILE", "Who vouches for the service; public CAs if unset.")
]
Certificate = Annotated[
    str | None,
    _option("ECS_SCHEDULER_TLS_CLIENT_CERTIFICATE", "FILE", "The client's own, if the service asks for it."),
]
Key = Annotated[str | None, _option("ECS_SCHEDULER_TLS_CLIENT_KEY", "FILE", "The certificate's.")]


def server_of(
    *,
    address: Address = DEFAULT_ADDRESS,
    tls: TalkTls = False,
    tls_ca: Authorities = None,
    tls_certificate: Certificate = None,
    tls_key: Key = None,
) -> Server:
    """Raises typer.BadParameter where the files are of no use."""
    if not (tls or tls_ca or tls_certificate or tls_key):
        return Server(address=address)
    if bool(tls_certificate) != bool(tls_key):
        raise typer.BadParameter("--tls-certificate and --tls-key: give both or neither")
    try:
        authorities = read_authorities(tls_ca) if tls_ca else None
        certificate, key = (
            read_pair(tls_certificate, tls_key) if tls_certificate and tls_key else (None, None)
        )
    except CertificateError as error:
        raise typer.BadParameter(f"TLS: {error}") from error
    return Server(address=address, tls=Tls(authorities=authorities, certificate=certificate, key=key))
