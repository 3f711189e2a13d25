"""The check of a certificate: what would fail every handshake is told before the first."""

from datetime import datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID
from structlog.testing import capture_logs

from scheduler.api.certificate_check import CertificateError, check_pair
from scheduler.api.tls import RenewedCertificates
from tests.certificates import Authority, Key, Pair, server_files, write_pair

TRUSTED = Authority()
EXPIRED = TRUSTED.issue("expired", valid=(datetime(2020, 1, 1), datetime(2021, 1, 1)))
EARLY = TRUSTED.issue("early", valid=(datetime(2098, 1, 1), datetime(2099, 1, 1)))
OF_CLIENT = TRUSTED.issue("client", purpose=ExtendedKeyUsageOID.CLIENT_AUTH)
OF_SERVER = TRUSTED.issue("server", purpose=ExtendedKeyUsageOID.SERVER_AUTH)


def problem(directory: Path, pair: Pair, *, of_client: bool = False) -> str:
    """What is wrong with the pair, if anything."""
    try:
        check_pair(*write_pair(directory, "own", pair), of_client=of_client)
    except CertificateError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("of_client", [False, True])
def test_one_that_is_out_of_date_is_refused(tmp_path: Path, of_client: bool) -> None:
    """Whoever is shown it would end the handshake, on either side."""
    assert problem(tmp_path, EXPIRED, of_client=of_client).endswith("own.pem has expired")
    assert problem(tmp_path, EARLY, of_client=of_client).endswith("own.pem is not valid yet")


@pytest.mark.parametrize("of_client", [False, True])
@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1()])
def test_usual_keys_are_taken(tmp_path: Path, curve: ec.EllipticCurve, of_client: bool) -> None:
    """Both curves that every TLS library has."""
    pair = TRUSTED.issue("usual", key=ec.generate_private_key(curve))
    assert problem(tmp_path, pair, of_client=of_client) == ""


@pytest.mark.parametrize(
    "key", [ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP521R1())]
)
def test_keys_that_grpc_does_not_take_are_refused(tmp_path: Path, key: Key) -> None:
    """OpenSSL takes them, BoringSSL does not: the server would start and no client could connect."""
    assert "of a kind that gRPC does not take" in problem(tmp_path, TRUSTED.issue("odd", key=key))


def test_one_is_for_its_purpose(tmp_path: Path) -> None:
    """A client's certificate proves no server, and a server's no client."""
    assert "not for this purpose" in problem(tmp_path, OF_CLIENT)
    assert "not for this purpose" in problem(tmp_path, OF_SERVER, of_client=True)
    assert problem(tmp_path, OF_CLIENT, of_client=True) == problem(tmp_path, OF_SERVER) == ""


def test_a_chain_is_judged_by_its_first(tmp_path: Path) -> None:
    """Those that vouch for it follow; text around them does no harm."""
    certificate, key = write_pair(tmp_path, "own", OF_SERVER)
    Path(certificate).write_bytes(b"subject=server\n" + OF_SERVER.pem + EXPIRED.pem)
    check_pair(certificate, key)


def test_an_expired_one_does_not_replace_a_good_one(tmp_path: Path) -> None:
    """At a renewal the old one stays in force, and the log says why."""
    certificates = RenewedCertificates(server_files(tmp_path, TRUSTED.issue("server")))
    server_files(tmp_path, EXPIRED)
    with capture_logs() as logged:
        assert certificates() is None
    assert [(each["event"], "has expired" in each["problem"]) for each in logged] == [
        ("tls.not_renewed", True)
    ]
