"""AWS Encryption SDKs for Python and JavaScript: each reads what the other wrote, with keyrings."""

import base64
import itertools

import aws_encryption_sdk
import pytest
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import (
    CreateAwsKmsEcdhKeyringInput, CreateAwsKmsRsaKeyringInput,
    KmsEcdhStaticConfigurationsKmsPrivateKeyToStaticPublicKey,
    KmsEcdhStaticConfigurationsKmsPublicKeyDiscovery, KmsPrivateKeyToStaticPublicKeyInput,
    KmsPublicKeyDiscoveryInput,
)

from envelope import Failure, JavaScript, Python, discovery, strict

SECRET = bytes(range(256)) * 40
CONTEXT = {"tenant": "a", "purpose": "zoë's backup"}
# By number: without and with a signature, both committing to the data key; then, from before there
# was commitment, one that signs and one whose data key has 128 bits.
SUITES = [0x0478, 0x0578, 0x0378, 0x0114]
BOTH_WAYS = list(itertools.permutations([Python, JavaScript]))
EAST, WEST = "us-east-1", "eu-west-1"


@pytest.fixture
def sdk(server, account, tmp_path, monkeypatch):
    """Makes the SDK of a language for the account."""
    # Regions come from the keys' ARNs and the keyrings; the environment's is none of theirs.
    environment = server.environment(account, region="ap-south-1")
    return lambda language: language(tmp_path, environment, monkeypatch)


@pytest.fixture
def abroad(server, account):
    """A client of the account in another region than `kms`."""
    return server.kms(account, region=WEST)


@pytest.fixture
def other(abroad):
    """The metadata of a fresh key there."""
    return abroad.create_key()["KeyMetadata"]


@pytest.mark.parametrize("writer, reader", BOTH_WAYS)
@pytest.mark.parametrize("suite", SUITES, ids=hex)
def test_one_reads_what_the_other_wrote(sdk, key, writer, reader, suite):
    keyring = strict(key["Arn"])
    message = sdk(writer).encrypt(keyring, SECRET, CONTEXT, suite)
    assert SECRET[:64] not in message
    plaintext, context = sdk(reader).decrypt(keyring, message, suite)
    assert plaintext == SECRET
    assert CONTEXT.items() <= context.items()
    # A suite that signs carries the public key in the context, and is the only one to do so.
    assert ("aws-crypto-public-key" in context) == (suite in (0x0578, 0x0378))


@pytest.mark.parametrize("writer, reader", BOTH_WAYS)
def test_keys_in_two_regions_either_of_which_opens(
    sdk, kms, abroad, key, other, writer, reader
):
    message = sdk(writer).encrypt(strict(key["Arn"], other["Arn"]), SECRET, CONTEXT, 0x0578)
    for arn in (key["Arn"], other["Arn"]):
        assert sdk(reader).decrypt(strict(arn), message)[0] == SECRET
    kms.disable_key(KeyId=key["KeyId"])
    assert sdk(reader).decrypt(strict(key["Arn"], other["Arn"]), message)[0] == SECRET
    abroad.disable_key(KeyId=other["KeyId"])
    with pytest.raises(Failure, match="is disabled"):
        sdk(reader).decrypt(strict(key["Arn"], other["Arn"]), message)


@pytest.mark.parametrize("writer, reader", BOTH_WAYS)
def test_discovery(sdk, account, key, other, writer, reader):
    message = sdk(writer).encrypt(strict(key["Arn"]), SECRET, CONTEXT, 0x0478)
    for keyring in (discovery(WEST, EAST), discovery(EAST, account=account)):
        assert sdk(reader).decrypt(keyring, message)[0] == SECRET
    # Where the key isn't: another region, an account that isn't its own, another key's name.
    for keyring in (
        discovery(WEST), discovery(EAST, account="999999999999"), strict(other["Arn"])
    ):
        with pytest.raises(Failure):
            sdk(reader).decrypt(keyring, message)


@pytest.mark.parametrize("writer, reader", BOTH_WAYS)
def test_an_altered_message(sdk, key, writer, reader):
    message = sdk(writer).encrypt(strict(key["Arn"]), SECRET, CONTEXT, 0x0578)
    # In the context, and at the end of the signature.
    flipped = message[:-1] + bytes([message[-1] ^ 1])
    for altered in (message.replace(b"backup", b"payoff"), flipped):
        assert altered != message
        with pytest.raises(Failure):
            sdk(reader).decrypt(strict(key["Arn"]), altered)


@pytest.fixture
def library():
    """The Material Providers Library, for keyrings that only Python has."""
    return AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())


def round_trip(encrypting, decrypting):
    """What comes out of a message between two keyrings."""
    client = aws_encryption_sdk.EncryptionSDKClient()
    message, _ = client.encrypt(
        source=SECRET, keyring=encrypting, encryption_context=CONTEXT,
        algorithm=aws_encryption_sdk.Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
    )
    return client.decrypt(source=message, keyring=decrypting)[0]


@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"])
def test_an_rsa_key(library, standing, algorithm):
    arn = standing.arn("RSA_2048", "ENCRYPT_DECRYPT")
    public = standing.kms.get_public_key(KeyId=arn)["PublicKey"]
    pem = f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(public).decode()}\n" \
        "-----END PUBLIC KEY-----\n"
    # Encrypting takes the public key only; no request leaves for it.
    encrypting, decrypting = (
        library.create_aws_kms_rsa_keyring(CreateAwsKmsRsaKeyringInput(
            kms_key_id=arn, encryption_algorithm=algorithm, **more
        ))
        for more in ({"public_key": pem.encode()}, {"kms_client": standing.kms})
    )
    assert round_trip(encrypting, decrypting) == SECRET


@pytest.mark.parametrize("spec", ["ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"])
def test_two_agreement_keys(library, kms, spec):
    sender, recipient = (
        kms.create_key(KeySpec=spec, KeyUsage="KEY_AGREEMENT")["KeyMetadata"]["Arn"]
        for _ in range(2)
    )
    scheme = KmsEcdhStaticConfigurationsKmsPrivateKeyToStaticPublicKey(
        KmsPrivateKeyToStaticPublicKeyInput(
            sender_kms_identifier=sender,
            recipient_public_key=kms.get_public_key(KeyId=recipient)["PublicKey"],
        )
    )
    discovering = KmsEcdhStaticConfigurationsKmsPublicKeyDiscovery(
        KmsPublicKeyDiscoveryInput(recipient_kms_identifier=recipient)
    )
    encrypting, decrypting = (
        library.create_aws_kms_ecdh_keyring(CreateAwsKmsEcdhKeyringInput(
            key_agreement_scheme=configuration, curve_spec=spec, kms_client=kms
        ))
        for configuration in (scheme, discovering)
    )
    assert round_trip(encrypting, decrypting) == SECRET
