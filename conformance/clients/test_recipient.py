"""Recipient (Nitro Enclaves, NitroTPM): answers that only an attested environment can open."""

import base64
import datetime
import functools
import json
import re

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

import strongroom
from attestation import ES384, HOUR, Enclave, Hypervisor, authority, der, pem
from expectations import DRY_RUN, blob_fails, longest, refused, shortest, violation

ACCOUNT = "111122223333"
PLAINTEXTS = ("Plaintext", "PrivateKeyPlaintext", "SharedSecret")
CONTEXT = {"purpose": "recipient"}
OPERATIONS = [
    "Decrypt", "DeriveSharedSecret", "GenerateDataKey", "GenerateDataKeyPair", "GenerateRandom",
]
DAY = datetime.timedelta(days=1)


def invalid(reason):
    """What is said of a document that is refused for this reason."""
    return f"The attestation document is not valid: {reason}."


ENVELOPE = invalid("it is not a COSE_Sign1 that is signed with ES384")
TOO_LONG = invalid("it is longer than 16640 bytes")
PAYLOAD = invalid("its payload is not one CBOR map")
SIGNATURE = invalid("its signature is not valid")
PUBLIC_KEY = invalid("it has no RSA public key of 2048 to 4096 bits")
ROOT = invalid("its certificate chain does not begin with a trusted root")
CERTIFICATE = invalid("a certificate is malformed or of a kind that is not supported")
VALIDITY = invalid("a certificate is not valid at this time")
USAGE = invalid("a certificate is used for what it does not permit")
ISSUER = invalid("a certificate was not issued by the one before it")


def field(name):
    """What is said of a field."""
    return invalid(f"its field {name} is missing, doubled or out of bounds")


@pytest.fixture(scope="module")
def hypervisor():
    """Who issues the documents."""
    return Hypervisor()


@pytest.fixture(scope="module")
def attested(tmp_path_factory, hypervisor):
    """A server that trusts that one."""
    home = tmp_path_factory.mktemp("attested-server")
    root = home / "root.pem"
    root.write_bytes(hypervisor.root_pem())
    server = strongroom.Strongroom(home, options=["--attestation-root", root])
    server.start()
    yield server
    server.stop()
    assert server.stderr() == ""


@pytest.fixture(scope="module")
def enclave(tmp_path_factory):
    """Who opens the answers."""
    return Enclave(tmp_path_factory.mktemp("enclave"))


@pytest.fixture(scope="module")
def kms(attested):
    """A client of that server."""
    return attested.kms(ACCOUNT)


@pytest.fixture(scope="module")
def requests(kms):
    """For each operation, the arguments of a request that works."""
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    agreement = {"KeySpec": "ECC_NIST_P384", "KeyUsage": "KEY_AGREEMENT"}
    ours, peer = (kms.create_key(**agreement)["KeyMetadata"]["KeyId"] for _ in range(2))
    blob = kms.encrypt(KeyId=key, Plaintext=b"secret", EncryptionContext=CONTEXT)
    return {
        "Decrypt": {
            "CiphertextBlob": blob["CiphertextBlob"], "EncryptionContext": CONTEXT, "KeyId": key,
        },
        "DeriveSharedSecret": {
            "KeyId": ours, "KeyAgreementAlgorithm": "ECDH",
            "PublicKey": kms.get_public_key(KeyId=peer)["PublicKey"],
        },
        "GenerateDataKey": {"KeyId": key, "KeySpec": "AES_256", "EncryptionContext": CONTEXT},
        "GenerateDataKeyPair": {
            "KeyId": key, "KeyPairSpec": "ECC_NIST_P256", "EncryptionContext": CONTEXT,
        },
        "GenerateRandom": {"NumberOfBytes": 1024},
    }


def recipient(document):
    """A Recipient with that document."""
    return {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": document}


def ask(server, operation, arguments):
    """Sends a request as plain JSON; gives the status and the answer, which holds no plaintext."""
    body = json.dumps(arguments, default=lambda blob: base64.b64encode(blob).decode())
    status, _, answer = server.send_kms(f"TrentService.{operation}", body.encode(), ACCOUNT)
    answer = json.loads(answer)
    assert not [member for member in PLAINTEXTS if member in answer], answer
    return status, answer


@pytest.fixture(scope="module")
def refusal(attested):
    """Says how a document is refused by GenerateRandom, which needs nothing else."""

    def refuse(document):
        arguments = {"NumberOfBytes": 32, "Recipient": recipient(document)}
        status, answer = ask(attested, "GenerateRandom", arguments)
        assert status in (200, 400), answer
        if status == 200:
            assert answer.keys() == {"CiphertextForRecipient"}
            return None
        assert answer["__type"] == "ValidationException", answer
        return answer["message"]

    return refuse


# -- answers --------------------------------------------------------------------------------------


def attested_answer(kms, enclave, hypervisor, operation, arguments):
    """Asks with a good document; gives the answer and what the enclave finds in it."""
    named = recipient(hypervisor.document(enclave.public_key))
    call = getattr(kms, re.sub("(?<!^)([A-Z])", r"_\1", operation).lower())
    answer = call(**arguments, Recipient=named)
    assert not [member for member in PLAINTEXTS if answer.get(member)]
    return answer, enclave.open(answer["CiphertextForRecipient"])


def test_decrypt(kms, enclave, hypervisor, requests):
    arguments = requests["Decrypt"]
    answer, opened = attested_answer(kms, enclave, hypervisor, "Decrypt", arguments)
    assert opened == b"secret"
    assert "KeyMaterialId" not in answer and answer["EncryptionAlgorithm"] == "SYMMETRIC_DEFAULT"
    plain = kms.decrypt(**arguments)
    assert plain["Plaintext"] == b"secret" and "CiphertextForRecipient" not in plain
    assert plain["KeyMaterialId"] and plain["KeyId"] == answer["KeyId"]


@pytest.mark.parametrize("length", [1, 15, 16, 17, 4096])
def test_decrypt_of_any_length(kms, enclave, hypervisor, requests, length):
    key = requests["Decrypt"]["KeyId"]
    sealed = kms.encrypt(KeyId=key, Plaintext=bytes(length))["CiphertextBlob"]
    arguments = {"CiphertextBlob": sealed}
    _, opened = attested_answer(kms, enclave, hypervisor, "Decrypt", arguments)
    assert opened == bytes(length)


def test_decrypt_with_an_rsa_key(kms, enclave, hypervisor):
    key = kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["KeyId"]
    named = {"KeyId": key, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    sealed = kms.encrypt(Plaintext=b"secret", **named)["CiphertextBlob"]
    arguments = named | {"CiphertextBlob": sealed}
    _, opened = attested_answer(kms, enclave, hypervisor, "Decrypt", arguments)
    assert opened == b"secret"


def test_derive_shared_secret(kms, enclave, hypervisor, requests):
    arguments = requests["DeriveSharedSecret"]
    answer, opened = attested_answer(kms, enclave, hypervisor, "DeriveSharedSecret", arguments)
    plain = kms.derive_shared_secret(**arguments)
    assert opened == plain["SharedSecret"] and len(opened) == 48
    assert answer["KeyAgreementAlgorithm"] == "ECDH" and answer["KeyOrigin"] == "AWS_KMS"


def test_generate_data_key(kms, enclave, hypervisor, requests):
    arguments = requests["GenerateDataKey"]
    answer, opened = attested_answer(kms, enclave, hypervisor, "GenerateDataKey", arguments)
    sealed = kms.decrypt(CiphertextBlob=answer["CiphertextBlob"], EncryptionContext=CONTEXT)
    assert opened == sealed["Plaintext"] and len(opened) == 32
    assert "KeyMaterialId" not in answer


def test_generate_data_key_pair(kms, enclave, hypervisor, requests):
    arguments = requests["GenerateDataKeyPair"]
    answer, opened = attested_answer(kms, enclave, hypervisor, "GenerateDataKeyPair", arguments)
    sealed = answer["PrivateKeyCiphertextBlob"]
    assert opened == kms.decrypt(CiphertextBlob=sealed, EncryptionContext=CONTEXT)["Plaintext"]
    private = load_der_private_key(opened, None)
    assert private.public_key() == load_der_public_key(answer["PublicKey"])
    # AWS leaves this one in.
    assert answer["KeyMaterialId"]


def test_generate_random(kms, enclave, hypervisor, requests):
    arguments = requests["GenerateRandom"]
    answer, opened = attested_answer(kms, enclave, hypervisor, "GenerateRandom", arguments)
    assert len(opened) == 1024
    _, again = attested_answer(kms, enclave, hypervisor, "GenerateRandom", arguments)
    assert opened != again


@pytest.mark.parametrize("bits", [3072, 4096])
def test_longer_keys(kms, hypervisor, requests, tmp_path, bits):
    longer = Enclave(tmp_path, bits)
    arguments = requests["Decrypt"]
    _, opened = attested_answer(kms, longer, hypervisor, "Decrypt", arguments)
    assert opened == b"secret"


def test_documents_that_are_as_good(hypervisor, enclave, refusal):
    payload = cbor2.dumps(hypervisor.fields(enclave.public_key))
    assert refusal(hypervisor.signed(payload, tag=18)) is None
    # The modules write maps of indefinite length too.
    assert refusal(hypervisor.signed(b"\xbf" + payload[1:] + b"\xff")) is None
    assert refusal(hypervisor.document(enclave.public_key, pcrs="nitrotpm_pcrs")) is None
    full = {"user_data": bytes(1024), "nonce": bytes(512)}
    assert refusal(hypervisor.document(enclave.public_key, **full)) is None
    bare = {"user_data": ..., "nonce": ...}
    assert refusal(hypervisor.document(enclave.public_key, **bare)) is None


def test_dry_runs_verify_too(kms, hypervisor, enclave, requests):
    good = recipient(hypervisor.document(enclave.public_key))
    bad = recipient(b"no document")
    for operation in OPERATIONS[:4]:
        call = getattr(kms, re.sub("(?<!^)([A-Z])", r"_\1", operation).lower())
        with refused("DryRunOperationException", DRY_RUN):
            call(**requests[operation], Recipient=good, DryRun=True)
        with refused("ValidationException", ENVELOPE):
            call(**requests[operation], Recipient=bad, DryRun=True)


# -- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_refuses_bad_documents(attested, hypervisor, enclave, requests, operation):
    good = hypervisor.document(enclave.public_key)
    bad = {
        b"no document": ENVELOPE,
        good[:-1] + bytes([good[-1] ^ 1]): SIGNATURE,
        Hypervisor().document(enclave.public_key): ROOT,
        hypervisor.document(...): PUBLIC_KEY,
    }
    for document, message in bad.items():
        arguments = requests[operation] | {"Recipient": recipient(document)}
        status, answer = ask(attested, operation, arguments)
        assert (status, answer["__type"], answer["message"]) == (
            400, "ValidationException", message,
        )
    for incomplete in (
        {}, {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256"}, {"AttestationDocument": good},
    ):
        status, answer = ask(attested, operation, requests[operation] | {"Recipient": incomplete})
        assert (status, answer["__type"]) == (400, "ValidationException")
    arguments = requests[operation] | {
        "Recipient": recipient(good) | {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_1"},
    }
    status, answer = ask(attested, operation, arguments)
    assert (status, answer["__type"]) == (400, "ValidationException")


def test_nothing_is_decrypted_for_a_bad_document(attested, hypervisor, requests):
    """The document is refused before the ciphertext is looked into."""
    blob = requests["Decrypt"]["CiphertextBlob"]
    broken = requests["Decrypt"] | {"CiphertextBlob": blob[:-1] + bytes([blob[-1] ^ 1])}
    status, answer = ask(attested, "Decrypt", broken | {"Recipient": recipient(b"no document")})
    assert (status, answer["message"]) == (400, ENVELOPE)
    status, answer = ask(attested, "Decrypt", broken)
    assert (status, answer["__type"]) == (400, "InvalidCiphertextException")


def test_lengths(attested, refusal):
    assert refusal(b"\x00") == ENVELOPE
    assert refusal(bytes(16_640)) == ENVELOPE
    assert refusal(bytes(16_641)) == TOO_LONG
    assert refusal(bytes(262_144)) == TOO_LONG
    for document, rule in ((b"", shortest(1)), (bytes(262_145), longest(262_144))):
        arguments = {"NumberOfBytes": 1, "Recipient": recipient(document)}
        status, answer = ask(attested, "GenerateRandom", arguments)
        failure = blob_fails("recipient.attestationDocument", rule)
        assert (status, answer["message"]) == (400, violation(failure))


def test_altered_and_cut_documents(hypervisor, enclave, refusal):
    document = hypervisor.document(enclave.public_key)
    payload_at = document.index(b"module_id")
    for at in [*range(12), *range(payload_at, len(document), 37), len(document) - 1]:
        altered = bytearray(document)
        altered[at] ^= 1 << at % 8
        assert refusal(bytes(altered)) is not None, at
    for length in [*range(1, 12), *range(12, len(document), 97), len(document) - 1]:
        assert refusal(document[:length]) == ENVELOPE, length
    assert refusal(document + b"\x00") == ENVELOPE
    assert refusal(document) is None


def test_a_cut_inside_each_level(hypervisor, enclave, refusal):
    """The envelope is whole and its signature right; what it holds is cut."""
    payload = cbor2.dumps(hypervisor.fields(enclave.public_key))
    for length in [*range(1, 40), *range(40, len(payload), 211), len(payload) - 1]:
        assert refusal(hypervisor.signed(payload[:length])) == PAYLOAD, length
    for cut in (1, 40, 200, len(enclave.public_key) - 1):
        document = hypervisor.document(enclave.public_key[:cut])
        assert refusal(document) == PUBLIC_KEY, cut
    whole = der(hypervisor.chain[3])
    for cut in (1, 2, 40, len(whole) - 1):
        document = hypervisor.document(enclave.public_key, certificate=whole[:cut])
        assert refusal(document) == CERTIFICATE, cut


def test_hostile_cbor(hypervisor, refusal):
    deep = b"\x81" * 16_000
    for document in (deep, b"\xd2" + deep, b"\xc1" * 16_000, b"\x9f" * 16_000, b"\xbf" * 16_000):
        assert refusal(document) == ENVELOPE
    # Lengths that promise what isn't there.
    for head in (b"\x9b", b"\x5b", b"\xbb", b"\x7b", b"\xdb"):
        assert refusal(head + b"\xff" * 8) == ENVELOPE
        assert refusal(hypervisor.signed(head + b"\x7f" + b"\xff" * 7)) == PAYLOAD
    for payload in (deep, b"\xa1\x61a" + deep, b"\xa1" * 16_000):
        assert refusal(hypervisor.signed(payload)) == PAYLOAD
    assert refusal(cbor2.dumps([deep, {}, b"payload", bytes(96)])) == ENVELOPE
    assert refusal(cbor2.dumps([ES384, {1: 2}, b"payload", bytes(96)])) == ENVELOPE
    for protected in (b"", b"\xa0", cbor2.dumps({1: -7}), cbor2.dumps({1: -36}), deep[:9000]):
        assert refusal(hypervisor.signed(b"\xa0", protected=protected)) == ENVELOPE
    assert refusal(hypervisor.signed(b"\xa0", tag=98)) == ENVELOPE


@pytest.mark.parametrize(("name", "value"), [
    ("module_id", ...), ("module_id", ""), ("module_id", b"i-0"), ("module_id", None),
    ("digest", ...), ("digest", "SHA256"), ("digest", b"SHA384"),
    ("timestamp", ...), ("timestamp", 0), ("timestamp", -1), ("timestamp", "now"),
    ("timestamp", 1 << 64),
    ("pcrs", ...), ("pcrs", {}), ("pcrs", {index: bytes(48) for index in range(33)}),
    ("pcrs", {32: bytes(48)}), ("pcrs", {-1: bytes(48)}), ("pcrs", {"0": bytes(48)}),
    ("pcrs", {0: bytes(47)}), ("pcrs", {0: b""}), ("pcrs", [bytes(48)]),
    ("certificate", ...), ("certificate", b""), ("certificate", bytes(1025)),
    ("certificate", "certificate"),
    ("cabundle", ...), ("cabundle", []), ("cabundle", [b""]), ("cabundle", [bytes(1025)]),
    ("cabundle", [b"x"] * 9), ("cabundle", b"bundle"), ("cabundle", {}),
    ("public_key", b""), ("public_key", bytes(1025)), ("public_key", "key"),
    ("user_data", bytes(1025)), ("user_data", "text"), ("nonce", bytes(1025)), ("nonce", 7),
])
def test_fields(hypervisor, enclave, refusal, name, value):
    fields = hypervisor.fields(enclave.public_key) | {name: value}
    fields = {field: value for field, value in fields.items() if value is not ...}
    assert refusal(hypervisor.signed(cbor2.dumps(fields))) == field(name)


def test_fields_that_are_unknown_or_there_twice(hypervisor, enclave, refusal):
    unknown = hypervisor.document(enclave.public_key, extra=b"")
    assert refusal(unknown) == invalid("it has a field that attestation documents don't have")
    fields = hypervisor.fields(enclave.public_key)
    both = fields | {"nitrotpm_pcrs": fields["pcrs"]}
    assert refusal(hypervisor.signed(cbor2.dumps(both))) == field("pcrs")
    payload = cbor2.dumps(fields)
    twice = bytes([payload[0] + 1]) + payload[1:] + cbor2.dumps("digest") + cbor2.dumps("SHA384")
    assert refusal(hypervisor.signed(twice)) == PAYLOAD


def test_public_keys(hypervisor, enclave, refusal):
    keys = [
        ..., None, b"dummy", enclave.public_key + b"\x00",
        der(rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()),
        der(ec.generate_private_key(ec.SECP256R1()).public_key()),
        enclave.public_key[24:],
    ]
    for key in keys:
        assert refusal(hypervisor.document(key)) == PUBLIC_KEY, key


# -- certificates ---------------------------------------------------------------------------------


def refused_with(refusal, hypervisor, enclave, place, **options):
    """The refusal of a document whose chain has another certificate in one place."""
    chain = hypervisor.replaced(place, hypervisor.issue(place, **options))
    return refusal(hypervisor.document(enclave.public_key, chain=chain))


def test_validity(attested, hypervisor, enclave, refusal):
    now = datetime.datetime.now(datetime.UTC)
    for place in (1, 2, 3):
        for moment in (now - DAY, now + DAY):
            told = refused_with(refusal, hypervisor, enclave, place, now=moment)
            assert told == VALIDITY, place
        told = refused_with(refusal, hypervisor, enclave, place, now=now - HOUR / 2)
        assert told is None, place


def test_the_server_s_clock_counts(tmp_path, enclave):
    hypervisor = Hypervisor()
    (tmp_path / "root.pem").write_bytes(hypervisor.root_pem())
    server = strongroom.Strongroom(tmp_path, options=["--attestation-root", tmp_path / "root.pem"])
    server.start()
    try:
        named = recipient(hypervisor.document(enclave.public_key))
        assert server.kms().generate_random(NumberOfBytes=1, Recipient=named)
        server.advance(days=1)
        with refused("ValidationException", VALIDITY):
            server.kms().generate_random(NumberOfBytes=1, Recipient=named)
    finally:
        server.stop()


def test_roots(hypervisor, enclave, refusal):
    foreign = Hypervisor()
    assert refusal(foreign.document(enclave.public_key)) == ROOT
    # The trusted root before another's chain, and the trusted root's name and key in another one.
    posing = foreign.replaced(0, hypervisor.chain[0])
    assert refusal(foreign.document(enclave.public_key, chain=posing)) == ISSUER
    again = hypervisor.replaced(0, hypervisor.issue(0))
    assert refusal(hypervisor.document(enclave.public_key, chain=again)) == ROOT
    root, zone, instance, signer = hypervisor.chain
    for chain, told in (
        ([zone, instance, signer], ROOT), ([instance, zone, root, signer], ROOT),
        ([root, instance, signer], ISSUER), ([root, zone, signer], ISSUER),
        ([root, instance, zone, signer], ISSUER), ([root, signer, instance, signer], USAGE),
    ):
        assert refusal(hypervisor.document(enclave.public_key, chain=chain)) == told


def test_issuers(hypervisor, enclave, refusal):
    other = ec.generate_private_key(ec.SECP384R1())
    for place in (1, 2, 3):
        told = refused_with(refusal, hypervisor, enclave, place, issuer_key=other)
        assert told == ISSUER, place
        told = refused_with(refusal, hypervisor, enclave, place, issuer="somebody")
        assert told == ISSUER, place
    told = refused_with(refusal, hypervisor, enclave, 2, digest=hashes.SHA256())
    assert told == ISSUER
    # A genuine chain under a document that its signer didn't sign.
    payload = cbor2.dumps(hypervisor.fields(enclave.public_key))
    assert refusal(hypervisor.signed(payload, key=other)) == SIGNATURE


def test_what_certificates_permit(hypervisor, enclave, refusal):
    no_ca = x509.BasicConstraints(ca=False, path_length=None)
    permitted = functools.partial(refused_with, refusal, hypervisor, enclave)
    assert permitted(2, constraints=no_ca) == USAGE
    assert permitted(2, uses=("digital_signature",)) == USAGE
    assert permitted(3, uses=("key_cert_sign",)) == USAGE
    for most, told in ((0, USAGE), (1, None), (2, None)):
        constraints = x509.BasicConstraints(ca=True, path_length=most)
        assert permitted(1, constraints=constraints) == told, most
    signer = authority("enclave", hypervisor.keys[3], "instance", hypervisor.keys[2],
                       uses=("key_cert_sign", "digital_signature"))
    chain = hypervisor.replaced(3, signer)
    assert refusal(hypervisor.document(enclave.public_key, chain=chain)) == USAGE


def test_kinds_of_keys(hypervisor, enclave, refusal):
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert refused_with(refusal, hypervisor, enclave, 3, key=rsa_key) == CERTIFICATE
    other_curve = ec.generate_private_key(ec.SECP521R1())
    assert refused_with(refusal, hypervisor, enclave, 3, key=other_curve) == CERTIFICATE
    short = ec.generate_private_key(ec.SECP256R1())
    assert refused_with(refusal, hypervisor, enclave, 3, key=short) == SIGNATURE


def test_unknown_critical_extensions(hypervisor, enclave, refusal):
    now = datetime.datetime.now(datetime.UTC)
    for critical, told in ((True, CERTIFICATE), (False, None)):
        builder = x509.CertificateBuilder(
            issuer_name=hypervisor.chain[1].subject, subject_name=hypervisor.chain[2].subject,
            public_key=hypervisor.keys[2].public_key(), serial_number=7,
            not_valid_before=now - HOUR, not_valid_after=now + HOUR,
        )
        for extension in hypervisor.chain[2].extensions:
            builder = builder.add_extension(extension.value, extension.critical)
        unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
        made = builder.add_extension(unknown, critical).sign(hypervisor.keys[1], hashes.SHA384())
        chain = hypervisor.replaced(2, made)
        assert refusal(hypervisor.document(enclave.public_key, chain=chain)) == told


# -- the option -----------------------------------------------------------------------------------


def test_without_the_option_aws_is_trusted_alone(server, hypervisor, enclave):
    named = recipient(hypervisor.document(enclave.public_key))
    with refused("ValidationException", ROOT):
        server.kms().generate_random(NumberOfBytes=1, Recipient=named)


def test_several_roots(tmp_path, enclave):
    hypervisors = [Hypervisor() for _ in range(3)]
    files = [tmp_path / "one.pem", tmp_path / "two.pem"]
    files[0].write_bytes(hypervisors[0].root_pem())
    files[1].write_bytes(hypervisors[1].root_pem() + hypervisors[2].root_pem())
    options = [word for file in files for word in ("--attestation-root", file)]
    server = strongroom.Strongroom(tmp_path, options=options)
    server.start()
    try:
        for hypervisor in hypervisors:
            named = recipient(hypervisor.document(enclave.public_key))
            answer = server.kms().generate_random(NumberOfBytes=9, Recipient=named)
            assert len(enclave.open(answer["CiphertextForRecipient"])) == 9
    finally:
        server.stop()


@pytest.mark.parametrize(("text", "reason"), [
    (None, r"cannot read .*root\.pem: No such file or directory .*"),
    (b"no certificate", r"cannot take .*root\.pem as an attestation root: there is no PEM .*"),
    (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
     r"cannot take .*root\.pem as an attestation root: certificate 1 can't be read.*"),
    (b"\xff\xfe", r"cannot read .*root\.pem: .*"),
    ("enclave", r"cannot take .*: certificate 1 is not a certificate authority's"),
])
def test_roots_that_can_t_be_taken(tmp_path, hypervisor, text, reason):
    path = tmp_path / "root.pem"
    if text == "enclave":
        path.write_bytes(pem(hypervisor.chain[3]))
    elif text is not None:
        path.write_bytes(text)
    server = strongroom.Strongroom(tmp_path, options=["--attestation-root", path])
    with pytest.raises(strongroom.StartFailure):
        server.start()
    assert re.fullmatch(rf"strongroom: {reason}", server.stderr().strip()), server.stderr()


def test_policies_know_what_was_measured(attested, hypervisor, enclave, kms):
    document = hypervisor.document(enclave.public_key)
    measured = "00" * 48
    tpm = hypervisor.document(enclave.public_key, pcrs="nitrotpm_pcrs")

    def answered(name, value, given):
        statement = {
            "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "kms:GenerateDataKey", "Resource": "*",
            "Condition": {"StringEqualsIgnoreCase": {f"kms:RecipientAttestation:{name}": value}},
        }
        manage = {
            "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "kms:PutKeyPolicy", "Resource": "*",
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement, manage]})
        key = kms.create_key(Policy=policy)["KeyMetadata"]["KeyId"]
        arguments = {"KeyId": key, "KeySpec": "AES_256"}
        if given is None:
            with refused("AccessDeniedException"):
                kms.generate_data_key(**arguments)
            return False
        status, answer = ask(
            attested, "GenerateDataKey", arguments | {"Recipient": recipient(given)},
        )
        assert status == 200 or answer["__type"] == "AccessDeniedException", answer
        return status == 200

    assert answered("ImageSha384", measured, document)
    assert answered("PCR0", measured, document)
    assert answered("PCR10", "0A" * 48, document)
    assert not answered("PCR1", measured, document)
    assert not answered("PCR0", measured, None)
    assert not answered("NitroTPMPCR10", "0a" * 48, document)
    assert answered("NitroTPMPCR10", "0a" * 48, tpm)
    assert not answered("PCR10", "0a" * 48, tpm)
    # A document that doesn't hold says nothing.
    assert not answered("PCR0", measured, document[:-1] + bytes([document[-1] ^ 1]))
