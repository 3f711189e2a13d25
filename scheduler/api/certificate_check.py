"""The check of a certificate: what would fail every handshake is told before the first one.

OpenSSL reads the files here and BoringSSL, gRPC's own, serves with them. What OpenSSL makes of them is asked
by a handshake in memory, of a server and a client that show each other this very certificate.
"""

import re
import ssl
from collections.abc import Callable


class CertificateError(Exception):
    """A file of certificates or keys is of no use; the message is one line for an operator."""


_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)

_KEYS = tuple(
    bytes.fromhex(each)
    for each in (
        "06092a864886f70d010101",  # rsaEncryption (RFC 3279, 2.3.1)
        "06072a8648ce3d020106082a8648ce3d030107",  # id-ecPublicKey on secp256r1 (RFC 5480, 2.1.1)
        "06072a8648ce3d020106052b81040022",  # on secp384r1
    )
)
"""Kinds of keys, as a certificate names them, that BoringSSL signs with and accepts unless told otherwise.

Not so Ed25519 and secp521r1, which OpenSSL would take (BoringSSL: ssl/extensions.cc, signature algorithms).
"""

# OpenSSL, x509_vfy.h: X509_V_ERR_CERT_NOT_YET_VALID, _CERT_HAS_EXPIRED, _INVALID_PURPOSE.
_FATAL = {9: "is not valid yet", 10: "has expired", 26: "is not for this purpose (its extended key usage)"}


def check_pair(certificate: str, key: str, *, of_client: bool = False) -> None:
    """Whether a server, or a client, can show this certificate and prove it by this key.

    Raises CertificateError.
    """
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for context in (server, client):
        _load(context, certificate, key)
    own = _first(certificate)
    if not any(kind in ssl.PEM_cert_to_DER_cert(own) for kind in _KEYS):
        raise CertificateError(
            f"the key of the certificate in {certificate} is of a kind that gRPC does not take; "
            "expected RSA, or ECDSA on P-256 or P-384"
        )
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    judge = server if of_client else client
    judge.verify_mode = ssl.CERT_REQUIRED
    judge.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    judge.load_verify_locations(cadata=own)
    try:
        _shake_hands(server, client)
    except ssl.SSLCertVerificationError as error:
        if problem := _FATAL.get(error.verify_code):
            raise CertificateError(f"the certificate in {certificate} {problem}") from error


def _shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> None:
    """TLS 1.3 takes each side two turns."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(to_client, to_server),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    for end in ends * 2:
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue


def _load(context: ssl.SSLContext, certificate: str, key: str) -> None:
    try:
        context.load_cert_chain(certificate, key, password=_NO_PASSWORD)
    except OSError as error:
        if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
            raise CertificateError(
                f"the key in {key} is not that of the certificate in {certificate}"
            ) from error
        raise CertificateError(
            f"expected a certificate in {certificate} and its unencrypted key in {key}, both in PEM"
        ) from error


def _first(certificate: str) -> str:
    """The certificate of a chain that is shown as one's own, in PEM."""
    with open(certificate, encoding="latin-1") as file:
        found = _PEM.search(file.read())
    if found is None:
        raise CertificateError(f"expected a certificate in {certificate}, in PEM")
    return found[0]


_NO_PASSWORD: Callable[[], str] = str
"""Without an answer OpenSSL would ask for the password of an encrypted key on the terminal."""
