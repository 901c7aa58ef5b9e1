"""Attestation documents as AWS's Nitro hypervisor issues them, from a chain made here.

Owns keys, certificates and the document around them, each part replaceable by a wrong one, and the
two ways of opening an answer: openssl's and one written out. Says nothing of what KMS answers.
"""

import datetime
import hashlib
import subprocess

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.x509.oid import NameOID

ES384 = cbor2.dumps({1: -35})
HOUR = datetime.timedelta(hours=1)
CA = x509.BasicConstraints(ca=True, path_length=None)
# The longest answer of openssl to wait for, in seconds.
PATIENCE = 30


def name(text):
    """A distinguished name that holds only a common one."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def usage(*uses):
    """A KeyUsage extension with these bits."""
    bits = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
            "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"]
    return x509.KeyUsage(**{bit: bit in uses for bit in bits})


def certificate(subject, key, issuer, issuer_key, extensions, now=None, digest=hashes.SHA384()):
    """A certificate, valid for an hour before and after `now`."""
    now = now or datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer))
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - HOUR).not_valid_after(now + HOUR)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer_key, digest)


def authority(subject, key, issuer, issuer_key, constraints=CA, uses=("key_cert_sign",), **options):
    """The certificate of an authority."""
    extensions = [(constraints, True), (usage(*uses), True)]
    return certificate(subject, key, issuer, issuer_key, extensions, **options)


def end_entity(subject, key, issuer, issuer_key, uses=("digital_signature",), **options):
    """The certificate of who signs documents."""
    constraints = x509.BasicConstraints(ca=False, path_length=None)
    extensions = [(constraints, True), (usage(*uses), False)]
    return certificate(subject, key, issuer, issuer_key, extensions, **options)


def der(certificate_or_key):
    """The DER of a certificate, or a public key's SubjectPublicKeyInfo."""
    encoding = serialization.Encoding.DER
    if isinstance(certificate_or_key, x509.Certificate):
        return certificate_or_key.public_bytes(encoding)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return certificate_or_key.public_bytes(encoding, form)


def pem(made):
    """The PEM of a certificate."""
    return made.public_bytes(serialization.Encoding.PEM)


class Hypervisor:
    """Issues documents: a root, two authorities below it, and the signer's certificate."""

    NAMES = ["root", "zone", "instance", "enclave"]

    def __init__(self):
        self.keys = [ec.generate_private_key(ec.SECP384R1()) for _ in self.NAMES]
        self.chain = [self.issue(place) for place in range(4)]

    def issue(self, place, **options):
        """The certificate at that place of the chain, as it should be but for the options."""
        above = max(place - 1, 0)
        make = end_entity if place == 3 else authority
        subject = options.pop("subject", self.NAMES[place])
        issuer = options.pop("issuer", self.NAMES[above])
        key = options.pop("key", self.keys[place])
        issuer_key = options.pop("issuer_key", self.keys[above])
        return make(subject, key, issuer, issuer_key, **options)

    def replaced(self, place, made):
        """The chain with another certificate in one place."""
        return [*self.chain[:place], made, *self.chain[place + 1:]]

    def root_pem(self):
        """The root as a file for `--attestation-root`."""
        return pem(self.chain[0])

    def fields(self, public_key, chain=None, pcrs="pcrs", **changed):
        """The fields of a document; one that is changed to `...` is left out."""
        *bundle, signer = chain or self.chain
        fields = {
            "module_id": "i-0123456789abcdef0-enc0123456789abcd",
            "digest": "SHA384",
            "timestamp": int(datetime.datetime.now().timestamp() * 1000),
            pcrs: {index: bytes([index]) * 48 for index in range(16)},
            "certificate": der(signer),
            "cabundle": [der(certificate) for certificate in bundle],
            "public_key": public_key,
            "user_data": None,
            "nonce": None,
        } | changed
        return {field: value for field, value in fields.items() if value is not ...}

    def signed(self, payload, protected=ES384, key=None, tag=None):
        """The COSE_Sign1 of a payload."""
        key = key or self.keys[3]
        message = cbor2.dumps(["Signature1", protected, b"", payload])
        numbers = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA384())))
        signature = b"".join(number.to_bytes(48, "big") for number in numbers)
        envelope = [protected, {}, payload, signature]
        return cbor2.dumps(envelope if tag is None else cbor2.CBORTag(tag, envelope))

    def document(self, public_key, **options):
        """A document, signed."""
        return self.signed(cbor2.dumps(self.fields(public_key, **options)))


class Enclave:
    """Holds an RSA key and opens what was encrypted to it."""

    def __init__(self, home, bits=2048):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        self.public_key = der(self.key.public_key())
        self.path = home / f"enclave-{bits}.pem"
        self.path.write_bytes(self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ))

    def open(self, envelope):
        """The plaintext of an envelope, by both ways, which must agree."""
        opened = self.open_by_hand(envelope)
        assert self.open_with_openssl(envelope) == opened
        return opened

    def open_with_openssl(self, envelope):
        """What `openssl cms -decrypt` makes of it."""
        command = ["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-inkey", self.path]
        done = subprocess.run(command, input=envelope, capture_output=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def open_by_hand(self, envelope):
        """Takes the one layout apart that AWS's own SDK for enclaves reads."""
        size = self.key.key_size // 8
        identifier = hashlib.sha256(self.public_key).digest()
        opening = bytes.fromhex("3080 06092a864886f70d010703 a080 3080 020102 3182")
        assert envelope.startswith(opening)
        algorithm = bytes.fromhex(
            "303c 06092a864886f70d010107 302f a00f 300d 0609608648016503040201 0500"
            "a11c 301a 06092a864886f70d010108 300d 0609608648016503040201 0500"
        )
        recipient = bytes.fromhex("020102 8020") + identifier + algorithm + b"\x04\x82"
        before, rest = envelope.split(recipient + size.to_bytes(2, "big"), 1)
        assert len(before) == len(opening) + 2 + 4
        wrapped, rest = rest[:size], rest[size:]
        content = bytes.fromhex("3080 06092a864886f70d010701 301d 060960864801650304012a 0410")
        assert rest.startswith(content) and rest.endswith(bytes(10))
        rest = rest[len(content):-10]
        vector, rest = rest[:16], rest[16:]
        assert rest.startswith(b"\xa0\x80\x04")
        sealed = rest[len(rest) % 16:]
        oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        cipher = Cipher(algorithms.AES(self.key.decrypt(wrapped, oaep)), modes.CBC(vector))
        decryptor, unpadder = cipher.decryptor(), PKCS7(128).unpadder()
        padded = decryptor.update(sealed) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()
