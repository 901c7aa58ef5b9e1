"""What an owner of key material does to bring it into KMS.

Owns the wrapping algorithms, by the cryptography package, the two requests of an import, and what
several files of tests ask of imported keys.
"""

import datetime
import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding
from cryptography.hazmat.primitives.serialization import (
    Encoding, NoEncryption, PrivateFormat, load_der_public_key,
)

from expectations import NO_MESSAGE

ALONE = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]
WITH_AES = ["RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256"]
ALGORITHMS = ALONE + WITH_AES
WRAPPING_SPECS = ["RSA_2048", "RSA_3072", "RSA_4096"]
DAY = datetime.timedelta(days=1)
MINUTE = datetime.timedelta(minutes=1)
INCORRECT = ("IncorrectKeyMaterialException", NO_MESSAGE)
FOR_GOOD = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}


def oaep(algorithm, public_key, plaintext):
    """The plaintext under the public key, by the hash in the algorithm's name."""
    digest = hashes.SHA1() if algorithm.endswith("SHA_1") else hashes.SHA256()
    scheme = padding.OAEP(mgf=padding.MGF1(digest), algorithm=digest, label=None)
    return public_key.encrypt(plaintext, scheme)


def wrap(algorithm, public_key, material, aes_key=None):
    """The material, encrypted under a public key in DER as that algorithm does."""
    public_key = load_der_public_key(public_key)
    if algorithm in ALONE:
        return oaep(algorithm, public_key, material)
    aes_key = aes_key or os.urandom(32)
    return oaep(algorithm, public_key, aes_key) + aes_key_wrap_with_padding(aes_key, material)


def pkcs8(private_key):
    """A private key as AWS wants asymmetric material: PKCS#8 in DER."""
    return private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def parameters(kms, key_id, algorithm="RSAES_OAEP_SHA_256", spec="RSA_2048"):
    """A fresh public key and token."""
    return kms.get_parameters_for_import(
        KeyId=key_id, WrappingAlgorithm=algorithm, WrappingKeySpec=spec
    )


def request(kms, key_id, material, algorithm="RSAES_OAEP_SHA_256", spec="RSA_2048"):
    """The arguments of an ImportKeyMaterial that brings in that material, but for its expiry."""
    got = parameters(kms, key_id, algorithm, spec)
    return {
        "KeyId": key_id,
        "ImportToken": got["ImportToken"],
        "EncryptedKeyMaterial": wrap(algorithm, got["PublicKey"], material),
    }


def bring(kms, key_id, material, **arguments):
    """Imports the material, for good unless the arguments say otherwise."""
    expiry = {} if {"ValidTo", "ExpirationModel"} & set(arguments) else FOR_GOOD
    made = request(kms, key_id, material, arguments.pop("algorithm", "RSAES_OAEP_SHA_256"))
    return kms.import_key_material(**made, **expiry, **arguments)


def external(kms, spec="SYMMETRIC_DEFAULT", usage="ENCRYPT_DECRYPT"):
    """The metadata of a fresh key that waits for its material."""
    return kms.create_key(KeySpec=spec, KeyUsage=usage, Origin="EXTERNAL")["KeyMetadata"]


def now(server):
    """The server's clock as botocore reads times."""
    return datetime.datetime.fromtimestamp(server.now(), datetime.timezone.utc)


def describe(kms, key_id):
    """The key's metadata."""
    return kms.describe_key(KeyId=key_id)["KeyMetadata"]


def state(kms, key_id):
    """The key's state."""
    return describe(kms, key_id)["KeyState"]


def materials(kms, key_id):
    """All materials of the key, as ListKeyRotations tells them."""
    answer = kms.list_key_rotations(KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")
    return answer["Rotations"]


def encrypt(kms, key_id, plaintext=b"secret"):
    """The blob that Encrypt answers."""
    return kms.encrypt(KeyId=key_id, Plaintext=plaintext)["CiphertextBlob"]
