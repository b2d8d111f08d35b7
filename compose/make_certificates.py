"""NiFi's certificate: an authority of its own and a keystore, made once into a folder and renewed before they end."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID = dt.timedelta(days=825)
RENEWED_BEFORE = dt.timedelta(days=60)
CA_FILE, KEYSTORE, TRUSTSTORE = "ca.pem", "keystore.p12", "truststore.p12"
NAME = "nifi"
SHORTEST_PASSWORD = 12


def certificates(names: Sequence[str], password: bytes, now: dt.datetime) -> dict[str, bytes]:
    """A new authority and a server's certificate that it signed; the authority's key is kept nowhere.

    Args:
        names: Host names and addresses that the server is asked by.
        password: Of both stores.
        now: The time from which they are valid.

    Returns:
        Contents by file name: `ca.pem` (the authority's certificate), `keystore.p12` (the server's key and chain) and
        `truststore.p12` (the authority, as Java wants it: RFC 7292 with Java's attribute of a trusted certificate).
    """
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority_name = _name("election-assets authority")
    authority = (
        _certificate(authority_name, authority_name, authority_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    server = (
        _certificate(_name(names[0]), authority_name, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
            critical=False,
        )
        .sign(authority_key, hashes.SHA256())
    )
    encryption = serialization.BestAvailableEncryption(password)
    trusted = pkcs12.PKCS12Certificate(authority, b"authority")
    return {
        CA_FILE: authority.public_bytes(serialization.Encoding.PEM),
        KEYSTORE: pkcs12.serialize_key_and_certificates(NAME.encode(), key, server, [authority], encryption),
        TRUSTSTORE: pkcs12.serialize_java_truststore([trusted], encryption),
    }


def usable(folder: Path, names: Sequence[str], password: bytes, now: dt.datetime) -> bool:
    """Whether a folder holds stores of this password for these names, that belong together and last a while yet."""
    try:
        _, server, _ = pkcs12.load_key_and_certificates((folder / KEYSTORE).read_bytes(), password)
        pkcs12.load_pkcs12((folder / TRUSTSTORE).read_bytes(), password)
        authority = x509.load_pem_x509_certificate((folder / CA_FILE).read_bytes())
    except (FileNotFoundError, ValueError):
        return False
    if server is None or server.issuer != authority.subject or server.not_valid_after_utc < now + RENEWED_BEFORE:
        return False
    found = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    try:
        server.verify_directly_issued_by(authority)
    except Exception:
        return False
    return set(found) == {_alternative(name) for name in names}


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + VALID)
    )


def _usage(**used: bool) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: used.get(name, False) for name in names})


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def main(arguments: Sequence[str], env: Mapping[str, str]) -> int:
    """`make_certificates.py FOLDER NAME...`, with the stores' password in NIFI_KEYSTORE_PASSWORD."""
    if len(arguments) < 2:
        print(main.__doc__, file=sys.stderr)
        return 2
    folder, names = Path(arguments[0]), arguments[1:]
    password = env.get("NIFI_KEYSTORE_PASSWORD", "")
    if len(password) < SHORTEST_PASSWORD:
        print(f"NIFI_KEYSTORE_PASSWORD wants at least {SHORTEST_PASSWORD} characters.", file=sys.stderr)
        return 2
    now = dt.datetime.now(dt.UTC)
    if usable(folder, names, password.encode(), now):
        print(f"{folder}: the certificates are there and stay as they are")
        return 0
    for name, content in certificates(names, password.encode(), now).items():
        draft = folder / f".{name}.draft"
        draft.unlink(missing_ok=True)
        # What is secret in the stores is encrypted; the authority's certificate is for everybody.
        mode = 0o644 if name == CA_FILE else 0o600
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_EXCL, mode), "wb") as file:
            file.write(content)
        draft.replace(folder / name)
    print(f"{folder}: new certificates for {', '.join(names)}, valid for {VALID.days} days")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
