"""AWS Encryption SDKs with multi-Region keys: a file written in one Region is read in another."""

import pytest

from envelope import Failure, JavaScript, Python, discovery, strict

SECRET = bytes(range(256)) * 40
CONTEXT = {"tenant": "a"}
EAST, WEST, NORTH = "us-east-1", "eu-west-1", "eu-north-1"
SUITE = 0x0578
BOTH_WAYS = [(Python, JavaScript), (JavaScript, Python)]


@pytest.fixture
def sdk(server, account, tmp_path, monkeypatch):
    """Makes the SDK of a language for the account."""
    environment = server.environment(account, region="ap-south-1")
    return lambda language: language(tmp_path, environment, monkeypatch)


@pytest.fixture
def primary(kms):
    """The ARN of a fresh primary key, in the Region of `kms`."""
    return kms.create_key(MultiRegion=True)["KeyMetadata"]["Arn"]


@pytest.fixture
def replica(kms, primary):
    """The ARN of its replica."""
    made = kms.replicate_key(KeyId=primary, ReplicaRegion=WEST)["ReplicaKeyMetadata"]["Arn"]
    assert made == primary.replace(EAST, WEST)
    return made


@pytest.mark.parametrize("writer, reader", BOTH_WAYS)
def test_a_replica_opens_what_its_primary_sealed(sdk, primary, replica, writer, reader):
    for wrote, reads in ((primary, replica), (replica, primary)):
        message = sdk(writer).encrypt(strict(wrote, multi_region=True), SECRET, CONTEXT, SUITE)
        plaintext, context = sdk(reader).decrypt(strict(reads, multi_region=True), message)
        assert plaintext == SECRET
        assert CONTEXT.items() <= context.items()
        # To a keyring that isn't aware of them, related keys are strangers.
        with pytest.raises(Failure):
            sdk(reader).decrypt(strict(reads), message)


@pytest.mark.parametrize("writer, reader", BOTH_WAYS)
def test_a_disabled_primary_leaves_its_replica_usable(
    sdk, kms, primary, replica, writer, reader
):
    message = sdk(writer).encrypt(strict(primary, multi_region=True), SECRET, CONTEXT, SUITE)
    kms.disable_key(KeyId=primary)
    assert sdk(reader).decrypt(strict(replica, multi_region=True), message)[0] == SECRET
    with pytest.raises(Failure, match="is disabled"):
        sdk(reader).decrypt(strict(primary, multi_region=True), message)


@pytest.mark.parametrize("writer, reader", BOTH_WAYS)
def test_discovery_in_the_regions_of_a_keyring(
    sdk, account, primary, replica, writer, reader
):
    message = sdk(writer).encrypt(strict(primary, multi_region=True), SECRET, CONTEXT, SUITE)
    for keyring in (
        discovery(WEST, multi_region=True), discovery(NORTH, WEST, account=account,
                                                      multi_region=True),
    ):
        assert sdk(reader).decrypt(keyring, message)[0] == SECRET
    for keyring in (
        discovery(NORTH, multi_region=True), discovery(WEST),
        discovery(WEST, account="999999999999", multi_region=True),
    ):
        with pytest.raises(Failure):
            sdk(reader).decrypt(keyring, message)
