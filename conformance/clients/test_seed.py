"""Seed files: keys that are there from the first moment, and what is said of a wrong file."""

import base64
import hashlib
import hmac
import json
import pathlib
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

import strongroom
from expectations import refused

EXAMPLE = strongroom.REPOSITORY / "examples" / "seed" / "keys.yaml"
AWS = pathlib.Path(sys.executable).with_name("aws")
IDS = [f"0a1b2c3d-0000-4000-8000-00000000000{n}" for n in range(1, 7)]
ACCOUNT = "000000000000"
ONE, TWO = "11111111-2222-4333-8444-555555555551", "11111111-2222-4333-8444-555555555552"


def planted(home, seed, in_memory=True, options=()):
    """A running server with that seed: a path, or the text of a file that is written first."""
    path = seed
    if isinstance(seed, str):
        path = home / "keys.yaml"
        path.write_text(seed)
    return strongroom.Strongroom(
        home, in_memory=in_memory, options=["--seed", path, *options]
    ).start()


def told(server):
    """The notes of the server's latest start."""
    logs = sorted(server.home.glob("stdout-*.log"))
    lines = logs[-1].read_text().splitlines()
    return [line.removeprefix("note: ") for line in lines if line.startswith("note: ")]


def pem(private):
    """A private key in PKCS#8, indented as the value of a block of YAML."""
    text = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    return "".join(f"        {line}\n" for line in text.splitlines())


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """A server with the example's keys."""
    server = planted(tmp_path_factory.mktemp("example"), EXAMPLE)
    yield server
    server.stop()


def test_the_example_is_planted(example):
    assert told(example) == ["planted 6 keys of the seed"]
    kms = example.kms(ACCOUNT)
    assert [key["KeyId"] for key in kms.list_keys()["Keys"]] == IDS[:5]
    aliases = {a["AliasName"]: a["TargetKeyId"] for a in kms.list_aliases()["Aliases"]}
    names = ("data", "tokens", "webhooks", "cookies", "imported")
    assert aliases == {f"alias/app/{name}": key for name, key in zip(names, IDS, strict=False)}
    data = kms.describe_key(KeyId="alias/app/data")["KeyMetadata"]
    assert data["Arn"] == f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{IDS[0]}"
    assert data["Description"] == "encrypts the application's data"
    assert (data["KeyManager"], data["KeyState"], data["Origin"]) == (
        "CUSTOMER", "Enabled", "AWS_KMS",
    )
    assert kms.list_resource_tags(KeyId=IDS[0])["Tags"] == [
        {"TagKey": "team", "TagValue": "payments"},
        {"TagKey": "stage", "TagValue": "development"},
    ]
    rotation = kms.get_key_rotation_status(KeyId=IDS[0])
    assert (rotation["KeyRotationEnabled"], rotation["RotationPeriodInDays"]) == (True, 365)
    [older] = kms.list_key_rotations(KeyId=IDS[0])["Rotations"]
    assert older["KeyMaterialId"] == data["CurrentKeyMaterialId"]
    imported = kms.describe_key(KeyId=IDS[4])["KeyMetadata"]
    assert (imported["Origin"], imported["KeyState"]) == ("EXTERNAL", "Enabled")
    other = example.kms("111122223333", region="eu-west-1").describe_key(KeyId=IDS[5])
    assert other["KeyMetadata"]["KeyState"] == "Disabled"


def test_the_examples_materials_are_those_of_the_file(example):
    kms = example.kms(ACCOUNT)
    mac = kms.generate_mac(KeyId=IDS[3], Message=b"m", MacAlgorithm="HMAC_SHA_256")["Mac"]
    assert mac == hmac.digest(bytes(range(0x40, 0x60)), b"m", hashlib.sha256)
    private = serialization.load_pem_private_key(
        (EXAMPLE.parent / "webhook-signing.pem").read_bytes(), None
    )
    signature = kms.sign(KeyId=IDS[2], Message=b"m", SigningAlgorithm="ED25519_SHA_512")
    assert signature["Signature"] == private.sign(b"m")
    inline = EXAMPLE.read_text().split("pem: |\n")[1].split("\n\n")[0]
    private = serialization.load_pem_private_key(
        "\n".join(line.strip() for line in inline.splitlines()).encode(), None
    )
    signature = kms.sign(KeyId=IDS[1], Message=b"m", SigningAlgorithm="ECDSA_SHA_256")
    private.public_key().verify(signature["Signature"], b"m", ec.ECDSA(hashes.SHA256()))
    for key in (IDS[0], IDS[4]):
        blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
        assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_the_examples_policy_is_in_force(example):
    kms = example.kms(ACCOUNT)
    policy = json.loads(kms.get_key_policy(KeyId=IDS[1])["Policy"])
    assert [statement["Sid"] for statement in policy["Statement"]] == [
        "everything", "but no deletion",
    ]
    with refused("AccessDeniedException"):
        kms.schedule_key_deletion(KeyId=IDS[1])


def test_the_example_with_the_aws_command(example, tmp_path):
    def aws(*words):
        done = subprocess.run(
            [AWS, "kms", *words], cwd=tmp_path, capture_output=True, text=True, timeout=60,
            env=example.environment("test"), check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    (tmp_path / "m").write_bytes(b"m")
    mac = aws(
        "generate-mac", "--key-id", "alias/app/cookies", "--mac-algorithm", "HMAC_SHA_256",
        "--message", "fileb://m", "--query", "Mac", "--output", "text",
    )
    expected = hmac.digest(bytes(range(0x40, 0x60)), b"m", hashlib.sha256)
    assert base64.b64decode(mac) == expected
    sealed = aws(
        "encrypt", "--key-id", "alias/app/data", "--plaintext", "fileb://m",
        "--query", "CiphertextBlob", "--output", "text",
    )
    (tmp_path / "sealed").write_bytes(base64.b64decode(sealed))
    plain = aws(
        "decrypt", "--ciphertext-blob", "fileb://sealed", "--query", "Plaintext",
        "--output", "text",
    )
    assert base64.b64decode(plain) == b"m"


def test_ciphertexts_open_on_another_server_with_the_seed(example, tmp_path):
    """Also those of an older material, once the seed has a newer one."""
    kms = example.kms(ACCOUNT)
    blob = kms.encrypt(KeyId=IDS[0], Plaintext=b"kept", EncryptionContext={"a": "b"})
    newer = "      - hex: " + "ab" * 32
    text = EXAMPLE.read_text()
    last = next(line for line in text.splitlines() if "- base64: " in line)
    text = text.replace(last, f"{last}\n{newer}")
    text = text.replace("file: webhook", f"file: {EXAMPLE.parent}/webhook")
    other = planted(tmp_path, text)
    answer = other.kms(ACCOUNT).decrypt(
        CiphertextBlob=blob["CiphertextBlob"], EncryptionContext={"a": "b"}
    )
    assert answer["Plaintext"] == b"kept"
    metadata = other.kms(ACCOUNT).describe_key(KeyId=IDS[0])["KeyMetadata"]
    assert metadata["CurrentKeyMaterialId"] != answer["KeyMaterialId"]
    other.stop()


def test_what_exists_stays_as_it_is(tmp_path):
    seed = f"""
keys:
  - id: {ONE}
    description: from the seed
    aliases: [alias/one]
    material: {{hex: {'11' * 32}}}
"""
    server = planted(tmp_path, seed, in_memory=False)
    kms = server.kms(ACCOUNT)
    kms.update_key_description(KeyId=ONE, Description="changed since")
    kms.delete_alias(AliasName="alias/one")
    before = kms.describe_key(KeyId=ONE)["KeyMetadata"]
    server.stop()
    more = seed.replace("11" * 32, "22" * 32) + f"  - id: {TWO}\n    aliases: [alias/two]\n"
    (tmp_path / "keys.yaml").write_text(more)
    server.restart()
    arn = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{ONE}"
    assert told(server) == [
        "planted 1 key of the seed",
        f"1 key of the seed existed already and stayed unchanged: {arn}",
    ]
    kms = server.kms(ACCOUNT)
    assert kms.describe_key(KeyId=ONE)["KeyMetadata"] == before
    assert [a["AliasName"] for a in kms.list_aliases()["Aliases"]] == ["alias/two"]
    server.stop()


def test_asymmetric_keys_of_every_kind_that_openssl_makes(tmp_path):
    keys = {
        "RSA_2048": rsa.generate_private_key(65537, 2048),
        "ECC_NIST_P384": ec.generate_private_key(ec.SECP384R1()),
        "ECC_NIST_P521": ec.generate_private_key(ec.SECP521R1()),
        "ECC_SECG_P256K1": ec.generate_private_key(ec.SECP256K1()),
        "ECC_NIST_EDWARDS25519": ed25519.Ed25519PrivateKey.generate(),
    }
    entries = "".join(
        f"  - id: 11111111-2222-4333-8444-00000000000{n}\n    spec: {spec}\n"
        f"    usage: SIGN_VERIFY\n    material:\n      pem: |\n{pem(private)}"
        for n, (spec, private) in enumerate(keys.items())
    )
    server = planted(tmp_path, "keys:\n" + entries)
    for n, private in enumerate(keys.values()):
        key = f"11111111-2222-4333-8444-00000000000{n}"
        assert server.kms(ACCOUNT).get_public_key(KeyId=key)["PublicKey"] == (
            private.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )
    server.stop()


def refusal(home, seed, *options, in_memory=True):
    """What a server says that doesn't start with that seed."""
    path = home / "keys.yaml"
    path.write_text(seed)
    store = ["--in-memory"] if in_memory else ["--data-dir", home / "data"]
    command = [
        strongroom.binary(), "dev", "--listen", "127.0.0.1:0", *store, "--seed", "keys.yaml",
        *options,
    ]
    done = subprocess.run(
        command, cwd=home, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 1, done.stdout
    assert "endpoint" not in done.stdout
    return done.stderr.strip()


SYMMETRIC = "0" * 64
MISTAKES = [
    # Each a part of one key, where in the file it is refused, and in which words.
    ("colour: red", "3:5", "colour"),
    ("spec: RSA_2048", "2:5",
     "a key of spec RSA_2048 needs a usage: SIGN_VERIFY or ENCRYPT_DECRYPT"),
    ("spec: SM2", "3:11", "there are no keys of spec SM2"),
    ("usage: SIGN_VERIFY", "3:12",
     "a key of spec SYMMETRIC_DEFAULT is for ENCRYPT_DECRYPT, not for SIGN_VERIFY"),
    ("origin: AWS_CLOUDHSM", "3:13", "AWS_KMS or EXTERNAL is expected, not AWS_CLOUDHSM"),
    ("created: 2999-01-01T00:00:00Z", "3:14", "the date is in the future"),
    (f"description: {'x' * 8193}", "3:18", "length less than or equal to 8192"),
    ("tags: {'aws:x': 1}", "3:11", "Tags beginning with aws: are reserved"),
    (f"tags: {{{'x' * 129}: 1}}", "3:11", "length less than or equal to 128"),
    ("tags: {a: 1, a: 2}", "3:18", "duplicate"),
    ("aliases: [alias/a, x]", "3:24", 'Alias must start with the prefix "alias/".'),
    ("aliases: [alias/aws/s3]", "3:15", "names that begin with alias/aws/ are AWS's own"),
    ("aliases: [alias/a, alias/a]", "3:24", "alias/a stands in the seed twice"),
    ("aliases: ['alias/a b']", "3:15", "regular expression pattern"),
    ("policy: '{'", "3:13", "Syntax errors in policy"),
    ("policy: {Statement: {Effect: Deny, Principal: '*', Action: '*', Resource: '*'}}", "3:13",
     "The new key policy will not allow you to update the key policy in the future."),
    ("rotation: {period_days: 89}", "3:29", "greater than or equal to 90"),
    (f"material: {{hex: {'00' * 31}}}", "3:15", "no material of a key of spec SYMMETRIC_DEFAULT"),
    (f"materials: [{{hex: {SYMMETRIC}}}, {{hex: {SYMMETRIC}}}]", "3:90",
     "the key has this material already"),
]


@pytest.mark.parametrize("line, place, says", MISTAKES)
def test_mistakes(tmp_path, line, place, says):
    said = refusal(tmp_path, f"keys:\n  - id: {ONE}\n    {line}\n")
    assert f"keys.yaml:{place}: " in said
    assert says in said


def test_mistakes_that_take_two_keys(tmp_path):
    twice = f"keys:\n  - id: {ONE}\n  - id: {ONE}\n"
    assert f"keys.yaml:3:9: {ONE} is an earlier key's id" in refusal(tmp_path, twice)
    one, two = (f"  - id: {name}\n    aliases: [alias/a]\n" for name in (ONE, TWO))
    assert "keys.yaml:5:15: alias/a stands in" in refusal(tmp_path, f"keys:\n{one}{two}")
    # Two accounts may well have the same names.
    apart = "keys:\n" + one + two.replace("  - ", "  - account: '111122223333'\n    ")
    planted(tmp_path, apart).stop()
    mrk = f"keys:\n  - id: mrk-{'0' * 32}\n"
    assert "keys.yaml:2:9: a UUID is expected" in refusal(tmp_path, mrk)


def test_more_than_the_limits_allow(tmp_path):
    seed = f"keys:\n  - id: {ONE}\n    aliases: [alias/a, alias/b]\n  - id: {TWO}\n"
    said = refusal(tmp_path, seed, "--limit", "aliases-per-key=1")
    assert "keys.yaml:3:24: a key has at most 1 aliases" in said
    said = refusal(tmp_path, seed, "--limit", "keys=1")
    assert f"keys.yaml:4:5: the account {ACCOUNT} has as many keys in us-east-1 as it may" in said
    planted(tmp_path, seed, options=["--limit", "keys=2"]).stop()


def test_a_mistake_plants_nothing(tmp_path):
    """However late in the file it stands."""
    seed = f"keys:\n  - id: {ONE}\n  - id: {TWO}\n    material: {{hex: 00}}\n"
    refusal(tmp_path, seed, in_memory=False)
    server = strongroom.Strongroom(tmp_path).start()
    assert server.kms(ACCOUNT).list_keys()["Keys"] == []
    # An alias that another key has can only be found out in the store.
    other = server.kms(ACCOUNT).create_key()["KeyMetadata"]["KeyId"]
    server.kms(ACCOUNT).create_alias(AliasName="alias/taken", TargetKeyId=other)
    server.stop()
    seed = f"keys:\n  - id: {ONE}\n  - id: {TWO}\n    aliases: [alias/taken]\n"
    said = refusal(tmp_path, seed, in_memory=False)
    assert "keys.yaml:4:15: alias/taken is another key's alias already" in said
    server.restart()
    assert [key["KeyId"] for key in server.kms(ACCOUNT).list_keys()["Keys"]] == [other]
    server.stop()


def test_files_that_cannot_be_read(tmp_path):
    assert "cannot read the seed file keys.yaml: it is longer than 1048576 bytes" in refusal(
        tmp_path, "#" * (1 << 20) + "\n"
    )
    done = subprocess.run(
        [strongroom.binary(), "dev", "--in-memory", "--seed", "absent.yaml"], cwd=tmp_path,
        capture_output=True, text=True, timeout=30, check=False,
    )
    assert done.returncode == 1
    assert "cannot read the seed file absent.yaml: No such file or directory" in done.stderr


def test_openssl_keys_in_older_forms(tmp_path):
    """The refusal names the command that converts the key, and the command does."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=tmp_path, check=True, capture_output=True)

    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "ec.pem")
    openssl("genrsa", "-traditional", "-out", "rsa.pem", "2048")
    for name, spec, label in (
        ("ec", "ECC_NIST_P256", "EC PRIVATE KEY"), ("rsa", "RSA_2048", "RSA PRIVATE KEY"),
    ):
        seed = (
            f"keys:\n  - id: {ONE}\n    spec: {spec}\n    usage: SIGN_VERIFY\n"
            f"    material: {{file: {name}.pem}}\n"
        )
        said = refusal(tmp_path, seed)
        assert f"keys.yaml:5:22: {name}.pem: this {label} is in an older form" in said
        command = said.rsplit("Convert it with: ", 1)[1].strip().split()
        openssl(*(word.replace("KEY", name) for word in command[1:]))
        planted(tmp_path, seed.replace(".pem", "-pkcs8.pem")).stop()
