"""JSON Web Signatures made by KMS keys and read by jwcrypto, which knows nothing of KMS."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature, encode_dss_signature,
)
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS, InvalidJWSSignature

from expectations import NO_MESSAGE, refused

CLAIMS = {"iss": "https://issuer.example", "sub": "Zoë", "exp": 4_102_444_800}
# By the algorithm's name in RFC 7518, RFC 8037 and RFC 8812: the key spec, KMS's name of it, and
# for ECDSA the length in bytes of a coordinate, since JWS concatenates what KMS encodes in DER.
ALGORITHMS = {
    "RS256": ("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_256", None),
    "RS512": ("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_512", None),
    "PS256": ("RSA_2048", "RSASSA_PSS_SHA_256", None),
    "PS384": ("RSA_2048", "RSASSA_PSS_SHA_384", None),
    "ES256": ("ECC_NIST_P256", "ECDSA_SHA_256", 32),
    "ES384": ("ECC_NIST_P384", "ECDSA_SHA_384", 48),
    "ES512": ("ECC_NIST_P521", "ECDSA_SHA_512", 66),
    "ES256K": ("ECC_SECG_P256K1", "ECDSA_SHA_256", 32),
    "EdDSA": ("ECC_NIST_EDWARDS25519", "ED25519_SHA_512", None),
}
MAC_ALGORITHMS = {"HS256": "HMAC_256", "HS384": "HMAC_384", "HS512": "HMAC_512"}


def encoded(data):
    """Base64url without padding, as RFC 7515 has it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text):
    """The reverse."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signing_input(algorithm, key_id, claims=None):
    """The encoded header and claims."""
    header = {"alg": algorithm, "kid": key_id, "typ": "JWT"}
    return ".".join(encoded(json.dumps(part).encode()) for part in (header, claims or CLAIMS))


def read(token, jwk):
    """The token's claims, once jwcrypto has verified it."""
    jws = JWS()
    jws.allowed_algs = list(ALGORITHMS)
    jws.deserialize(token, jwk)
    return json.loads(jws.payload)


@pytest.fixture(params=ALGORITHMS)
def signed(request, standing):
    """An algorithm, the id of a key for it, that key's JWK and a token that it has signed."""
    spec, name, length = ALGORITHMS[request.param]
    key_id = standing.key_id(spec, "SIGN_VERIFY")
    # The key as an issuer publishes it: what a reader is given is JSON.
    jwk = JWK.from_json(JWK.from_pyca(standing.public_key(spec, "SIGN_VERIFY")).export_public())
    text = signing_input(request.param, key_id)
    signature = standing.kms.sign(
        KeyId=key_id, Message=text.encode(), SigningAlgorithm=name
    )["Signature"]
    if length is not None:
        signature = b"".join(
            part.to_bytes(length, "big") for part in decode_dss_signature(signature)
        )
    return request.param, key_id, jwk, f"{text}.{encoded(signature)}"


def verify(kms, algorithm, key_id, token):
    """Whether KMS verifies a token, by its own encoding of signatures."""
    text, signature = token.rsplit(".", 1)
    signature = decoded(signature)
    _, name, length = ALGORITHMS[algorithm]
    if length is not None:
        halves = (signature[:length], signature[length:])
        signature = encode_dss_signature(*(int.from_bytes(half, "big") for half in halves))
    return kms.verify(
        KeyId=key_id, Message=text.encode(), Signature=signature, SigningAlgorithm=name
    )["SignatureValid"]


def test_a_token_is_read_by_the_package(signed, standing):
    algorithm, key_id, jwk, token = signed
    assert read(token, jwk) == CLAIMS
    assert verify(standing.kms, algorithm, key_id, token)


def test_an_altered_token(signed, standing):
    algorithm, key_id, jwk, token = signed
    _, signature = token.rsplit(".", 1)
    raw = bytearray(decoded(signature))
    raw[-1] ^= 1
    others = signing_input(algorithm, key_id, CLAIMS | {"sub": "mallory"})
    for altered in (f"{token.rsplit('.', 1)[0]}.{encoded(raw)}", f"{others}.{signature}"):
        with pytest.raises(InvalidJWSSignature):
            read(altered, jwk)
        with refused("KMSInvalidSignatureException", NO_MESSAGE):
            verify(standing.kms, algorithm, key_id, altered)


@pytest.mark.parametrize("algorithm, spec", MAC_ALGORITHMS.items())
def test_a_token_with_a_mac(standing, algorithm, spec):
    kms, key_id = standing.kms, standing.key_id(spec, "GENERATE_VERIFY_MAC")
    name = spec.replace("_", "_SHA_")
    text = signing_input(algorithm, key_id)
    mac = kms.generate_mac(KeyId=key_id, Message=text.encode(), MacAlgorithm=name)["Mac"]
    assert len(mac) * 8 == int(algorithm[2:])
    # The key doesn't leave the service, so only the service can verify.
    jws = JWS()
    jws.deserialize(f"{text}.{encoded(mac)}")
    assert jws.jose_header["kid"] == key_id
    ask = {"KeyId": key_id, "MacAlgorithm": name, "Mac": jws.objects["signature"]}
    assert kms.verify_mac(Message=text.encode(), **ask)["MacValid"]
    altered = signing_input(algorithm, key_id, CLAIMS | {"sub": "mallory"})
    with refused("KMSInvalidMacException", NO_MESSAGE):
        kms.verify_mac(Message=altered.encode(), **ask)
