"""TLS: who the server is, and which clients it lets in.

The files are looked at again at every handshake, so a renewed certificate needs no restart. What is wrong
with them at the start ends it; what goes wrong with them later leaves in force what was read before.
"""

import ssl
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import structlog

from scheduler.api.certificate_check import CertificateError, check_pair
from scheduler.config import TlsFiles

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contents:
    certificate: bytes
    key: bytes = field(repr=False)
    client_ca: bytes | None

    def configuration(self) -> grpc.ServerCertificateConfiguration:
        """As gRPC wants it."""
        pair = [(self.key, self.certificate)]
        return grpc.ssl_server_certificate_configuration(pair, root_certificates=self.client_ca)


class RenewedCertificates:
    """The server's certificate as it is on disk. gRPC calls it at each handshake, on a thread of its own."""

    def __init__(self, files: TlsFiles) -> None:
        """Raises CertificateError."""
        self._files = files
        self._in_force = _checked(files)
        self._problem = ""

    @property
    def asks_clients(self) -> bool:
        """Whether clients must have a certificate too."""
        return self._files.client_ca is not None

    @property
    def configuration(self) -> grpc.ServerCertificateConfiguration:
        """What is in force."""
        return self._in_force.configuration()

    def __call__(self) -> grpc.ServerCertificateConfiguration | None:
        """What is in force from now on, or None if nothing has changed that is of use."""
        try:
            if _read(self._files) == self._in_force:
                return None
            self._in_force = _checked(self._files)
        except CertificateError as error:
            self._tell(str(error))
            return None
        self._problem = ""
        log.info("tls.renewed", certificate=self._files.certificate)
        return self._in_force.configuration()

    def _tell(self, problem: str) -> None:
        """Once, not at every handshake."""
        if problem != self._problem:
            self._problem = problem
            log.error("tls.not_renewed", problem=problem)


def server_credentials(certificates: RenewedCertificates) -> grpc.ServerCredentials:
    """What a secure port needs; with a CA of clients every client must present a certificate of theirs.

    Of one port: a second one would ask for what has changed since the first, and have nothing.
    """
    return grpc.dynamic_ssl_server_credentials(
        certificates.configuration,
        certificates,  # type: ignore[arg-type]  # the stubs lack None, gRPC's word for "as before"
        require_client_authentication=certificates.asks_clients,
    )


def check_files(files: TlsFiles) -> None:
    """Whether a server can serve with them. Raises CertificateError."""
    _checked(files)


def read_pair(certificate: str, key: str) -> tuple[bytes, bytes]:
    """A client's certificate and its key that belong together. Raises CertificateError."""
    contents = _checked(TlsFiles(certificate=certificate, key=key), of_client=True)
    return contents.certificate, contents.key


def read_authorities(path: str) -> bytes:
    """Certificates of the authorities to be trusted. Raises CertificateError."""
    content = _bytes(path)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=content.decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise CertificateError(f"{path}: expected certificates in PEM") from error
    return content


def _checked(files: TlsFiles, *, of_client: bool = False) -> _Contents:
    """OpenSSL checks paths only: contents count that are the same before and after it has looked at them."""
    contents = _read(files)
    check_pair(files.certificate, files.key, of_client=of_client)
    if files.client_ca is not None:
        read_authorities(files.client_ca)
    if _read(files) != contents:
        raise CertificateError(f"{files.certificate}: it, its key or its CA is being written just now")
    return contents


def _read(files: TlsFiles) -> _Contents:
    return _Contents(
        certificate=_bytes(files.certificate),
        key=_bytes(files.key),
        client_ca=None if files.client_ca is None else _bytes(files.client_ca),
    )


def _bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise CertificateError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
