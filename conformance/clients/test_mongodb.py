"""MongoDB's client-side field level encryption: libmongocrypt with its KMS provider `aws`.

The library writes the signed requests itself and leaves it to its caller to send them, over TLS to
AWS; here the caller sends those very bytes to the server. The key vault, in real life a collection
of the database, is a list.
"""

import urllib.parse

import bson
import pytest
from bson.binary import UUID_SUBTYPE, Binary
from pymongocrypt.errors import MongoCryptError
from pymongocrypt.mongocrypt import MongoCryptOptions
from pymongocrypt.synchronous.explicit_encrypter import ExplicitEncrypter
from pymongocrypt.synchronous.state_machine import MongoCryptCallback

from connection import Connection

DETERMINISTIC = "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic"
RANDOM = "AEAD_AES_256_CBC_HMAC_SHA_512-Random"
FIELD = {"v": "123-45-6789"}


class Vault(MongoCryptCallback):
    """What libmongocrypt asks its caller for: the key vault, and requests to KMS."""

    def __init__(self, server):
        self.server = server
        self.keys = []

    def kms_request(self, kms_context):
        """Sends the library's bytes and feeds it the answer's."""
        assert kms_context.endpoint == urllib.parse.urlsplit(self.server.endpoint).netloc
        with Connection(self.server.endpoint) as connection:
            connection.send(kms_context.message)
            while wanted := kms_context.bytes_needed:
                kms_context.feed(connection.socket.recv(wanted))

    def fetch_keys(self, filter):
        """All keys that there are: the library itself passes over those it didn't ask for."""
        return [bson.encode(key) for key in self.keys]

    def insert_data_key(self, data_key):
        """Keeps a new key."""
        self.keys.append(bson.decode(data_key))
        return Binary(self.keys[-1]["_id"], UUID_SUBTYPE)

    def bson_encode(self, doc):
        """As the interface has it."""
        return bson.encode(doc)

    def collection_info(self, database, filter):
        """Asked for automatic encryption only."""
        raise NotImplementedError

    def mark_command(self, database, cmd):
        """Asked for automatic encryption only."""
        raise NotImplementedError

    def close(self):
        """Nothing is held open."""


@pytest.fixture
def vault(server):
    """An empty key vault."""
    return Vault(server)


@pytest.fixture
def encrypter(vault, account):
    """Makes encrypters on that vault, each of which has cached no key yet."""
    made = []

    def make():
        credentials = {"aws": {"accessKeyId": account, "secretAccessKey": "any"}}
        made.append(ExplicitEncrypter(vault, MongoCryptOptions(credentials)))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def master_key(server):
    """Makes the description of a KMS key that a data key is to be wrapped under."""
    def describe(key):
        return {
            "region": key["Arn"].split(":")[3], "key": key["Arn"],
            "endpoint": urllib.parse.urlsplit(server.endpoint).netloc,
        }

    return describe


def test_a_value_there_and_back(vault, encrypter, master_key, kms, key):
    name = encrypter().create_data_key("aws", master_key(key))
    [entry] = vault.keys
    assert (entry["masterKey"]["key"], entry["masterKey"]["provider"]) == (key["Arn"], "aws")
    # Three keys of 32 bytes each, which KMS opens without an encryption context.
    assert len(kms.decrypt(CiphertextBlob=entry["keyMaterial"])["Plaintext"]) == 96
    value = bson.encode(FIELD)
    for algorithm, repeats in ((DETERMINISTIC, True), (RANDOM, False)):
        sealed, again = (encrypter().encrypt(value, algorithm, key_id=name) for _ in range(2))
        assert (sealed == again) == repeats
        assert FIELD["v"].encode() not in sealed
        assert bson.decode(encrypter().decrypt(sealed)) == FIELD


def test_an_altered_key_document(vault, encrypter, master_key, key):
    name = encrypter().create_data_key("aws", master_key(key))
    sealed = encrypter().encrypt(bson.encode(FIELD), RANDOM, key_id=name)
    [entry] = vault.keys
    whole = entry["keyMaterial"]
    for position in (0, len(whole) // 2, len(whole) - 1):
        altered = bytearray(whole)
        altered[position] ^= 1
        entry["keyMaterial"] = bytes(altered)
        with pytest.raises(MongoCryptError, match="InvalidCiphertextException"):
            encrypter().decrypt(sealed)
    entry["keyMaterial"] = whole
    assert bson.decode(encrypter().decrypt(sealed)) == FIELD


def test_a_disabled_key(encrypter, master_key, kms, key):
    name = encrypter().create_data_key("aws", master_key(key))
    sealed = encrypter().encrypt(bson.encode(FIELD), RANDOM, key_id=name)
    kms.disable_key(KeyId=key["KeyId"])
    with pytest.raises(MongoCryptError, match="DisabledException"):
        encrypter().decrypt(sealed)
    with pytest.raises(MongoCryptError, match="DisabledException"):
        encrypter().create_data_key("aws", master_key(key))


def test_wrapping_data_keys_anew(vault, encrypter, master_key, server, account, kms, key):
    name = encrypter().create_data_key("aws", master_key(key))
    sealed = encrypter().encrypt(bson.encode(FIELD), RANDOM, key_id=name)
    abroad = server.kms(account, region="eu-central-1").create_key()["KeyMetadata"]
    rewrapped = encrypter().rewrap_many_data_key({}, "aws", master_key(abroad))
    [entry] = bson.decode(rewrapped)["v"]
    assert entry["masterKey"]["key"] == abroad["Arn"]
    vault.keys = [vault.keys[0] | entry]
    kms.disable_key(KeyId=key["KeyId"])
    assert bson.decode(encrypter().decrypt(sealed)) == FIELD
