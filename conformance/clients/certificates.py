"""An authority and the certificates that it issues, as files for a server and its clients.

Owns keys that live as long as a test. It knows nothing of what a server does with them.
"""

import datetime
import ipaddress
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

NOW = (-1, 365)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _builder(subject, issuer, key, days):
    now = datetime.datetime.now(datetime.UTC)
    first, last = (now + datetime.timedelta(days=day) for day in days)
    return (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(first).not_valid_after(last)
    )


class Authority:
    """Issues certificates for servers on the loopback interface."""

    def __init__(self, home, name="an authority"):
        self.home = home
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.subject = _name(name)
        builder = _builder(self.subject, self.subject, self.key, (-1, 3650))
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        self.file = home / f"{name}.pem".replace(" ", "-")
        certificate = builder.sign(self.key, hashes.SHA256())
        self.file.write_bytes(certificate.public_bytes(Encoding.PEM))

    def issue(self, days=NOW, is_rsa=False):
        """A certificate for localhost and its key, in PEM."""
        key = rsa.generate_private_key(65537, 2048) if is_rsa else ec.generate_private_key(
            ec.SECP256R1())
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = _builder(_name("localhost"), self.subject, key, days)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
        certificate = builder.sign(self.key, hashes.SHA256())
        return certificate.public_bytes(Encoding.PEM), _pem(key)


def write(directory, pair, mode=0o600):
    """Puts the pair into the directory and returns the options of a server that shows it."""
    directory.mkdir(exist_ok=True)
    certificate, key = directory / "tls.crt", directory / "tls.key"
    for path, content in zip((certificate, key), pair):
        # Renamed into place, as whoever renews certificates should do it.
        fresh = path.with_suffix(".new")
        fresh.write_bytes(content)
        fresh.chmod(mode)
        os.replace(fresh, path)
    return ["--tls-certificate", certificate, "--tls-private-key", key]
