"""Certificates for tests: made when they are needed, valid for every day that a test could run on."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from scheduler.config import TlsFiles

Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

_ALWAYS = datetime(2020, 1, 1), datetime(2099, 1, 1)
_LOOPBACK = IPv4Address("127.0.0.1")


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def locked_key_pem(self) -> bytes:
        """The key under a password."""
        lock = serialization.BestAvailableEncryption(b"secret")
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)


class Authority:
    """One who vouches for others."""

    def __init__(self, name: str = "authority") -> None:
        self._pair = _pair(name, None, _new_key())
        self.pem = self._pair.pem

    def issue(
        self,
        name: str,
        *,
        key: Key | None = None,
        valid: tuple[datetime, datetime] = _ALWAYS,
        purpose: x509.ObjectIdentifier | None = None,
        host: IPv4Address = _LOOPBACK,
    ) -> Pair:
        """A certificate for `host`, with a key of its own."""
        extensions: list[x509.ExtensionType] = [x509.SubjectAlternativeName([x509.IPAddress(host)])]
        if purpose is not None:
            extensions.append(x509.ExtendedKeyUsage([purpose]))
        return _pair(name, self._pair, key or _new_key(), valid=valid, extensions=extensions)


def _new_key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def _pair(
    name: str,
    issuer: Pair | None,
    key: Key,
    *,
    valid: tuple[datetime, datetime] = _ALWAYS,
    extensions: Iterable[x509.ExtensionType] = (),
) -> Pair:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    for each in extensions:
        builder = builder.add_extension(each, critical=False)
    return Pair(certificate=builder.sign(issuer.key if issuer else key, hashes.SHA256()), key=key)


def write_pair(directory: Path, name: str, pair: Pair) -> tuple[str, str]:
    """Writes both; their paths."""
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    certificate.write_bytes(pair.pem)
    key.write_bytes(pair.key_pem)
    return str(certificate), str(key)


def server_files(directory: Path, pair: Pair, client_ca: bytes | None = None) -> TlsFiles:
    """The files of a server, written."""
    certificate, key = write_pair(directory, "server", pair)
    authority = directory / "client-ca.pem"
    if client_ca is not None:
        authority.write_bytes(client_ca)
    return TlsFiles(certificate=certificate, key=key, client_ca=None if client_ca is None else str(authority))
