"""What a KMS key of each spec is for: its usages, and the algorithms of each.

Owns that table, from AWS's reference of key specs, and keys of every kind for tests that only use
them. Says nothing of errors.
"""

from cryptography.hazmat.primitives.serialization import load_der_public_key

RSA_SIGNING = [
    f"RSASSA_{padding}_SHA_{bits}" for padding in ("PKCS1_V1_5", "PSS") for bits in (256, 384, 512)
]
OAEP = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]
# The list in a key's metadata that holds its algorithms, by usage.
LISTS = {
    "ENCRYPT_DECRYPT": "EncryptionAlgorithms",
    "SIGN_VERIFY": "SigningAlgorithms",
    "GENERATE_VERIFY_MAC": "MacAlgorithms",
    "KEY_AGREEMENT": "KeyAgreementAlgorithms",
    "ENCAPSULATE_DECAPSULATE": "EncapsulationAlgorithms",
}
RSA = {"ENCRYPT_DECRYPT": OAEP, "SIGN_VERIFY": RSA_SIGNING}
# Every key spec that can be made outside of China, with its algorithms by usage.
SPECS = {
    "SYMMETRIC_DEFAULT": {"ENCRYPT_DECRYPT": ["SYMMETRIC_DEFAULT"]},
    "RSA_2048": RSA,
    "RSA_3072": RSA,
    "RSA_4096": RSA,
    "ECC_NIST_P256": {"SIGN_VERIFY": ["ECDSA_SHA_256"], "KEY_AGREEMENT": ["ECDH"]},
    "ECC_NIST_P384": {"SIGN_VERIFY": ["ECDSA_SHA_384"], "KEY_AGREEMENT": ["ECDH"]},
    "ECC_NIST_P521": {"SIGN_VERIFY": ["ECDSA_SHA_512"], "KEY_AGREEMENT": ["ECDH"]},
    "ECC_SECG_P256K1": {"SIGN_VERIFY": ["ECDSA_SHA_256"]},
    "ECC_NIST_EDWARDS25519": {"SIGN_VERIFY": ["ED25519_SHA_512", "ED25519_PH_SHA_512"]},
    "HMAC_224": {"GENERATE_VERIFY_MAC": ["HMAC_SHA_224"]},
    "HMAC_256": {"GENERATE_VERIFY_MAC": ["HMAC_SHA_256"]},
    "HMAC_384": {"GENERATE_VERIFY_MAC": ["HMAC_SHA_384"]},
    "HMAC_512": {"GENERATE_VERIFY_MAC": ["HMAC_SHA_512"]},
    "ML_DSA_44": {"SIGN_VERIFY": ["ML_DSA_SHAKE_256"]},
    "ML_DSA_65": {"SIGN_VERIFY": ["ML_DSA_SHAKE_256"]},
    "ML_DSA_87": {"SIGN_VERIFY": ["ML_DSA_SHAKE_256"]},
    "ML_KEM_512": {"ENCAPSULATE_DECAPSULATE": ["ML_KEM"]},
    "ML_KEM_768": {"ENCAPSULATE_DECAPSULATE": ["ML_KEM"]},
    "ML_KEM_1024": {"ENCAPSULATE_DECAPSULATE": ["ML_KEM"]},
}
KINDS = [(spec, usage) for spec, usages in SPECS.items() for usage in usages]


def algorithms(usage):
    """Every pair of a key spec and an algorithm with that usage."""
    return [
        (spec, algorithm) for spec, usages in SPECS.items() for algorithm in usages.get(usage, [])
    ]


class StandingKeys:
    """One key of each kind in one account, made when first asked for. Tests never change them."""

    def __init__(self, server, account):
        self.account = account
        self.kms = server.kms(account)
        self.lenient_kms = server.kms(account, validate=False)
        self._made = {}

    def metadata(self, spec, usage):
        """The metadata of the key, as CreateKey answered it."""
        if (spec, usage) not in self._made:
            answer = self.kms.create_key(KeySpec=spec, KeyUsage=usage)
            self._made[spec, usage] = answer["KeyMetadata"]
        return dict(self._made[spec, usage])

    def key_id(self, spec, usage):
        """Its id."""
        return self.metadata(spec, usage)["KeyId"]

    def arn(self, spec, usage):
        """Its ARN."""
        return self.metadata(spec, usage)["Arn"]

    def public_key(self, spec, usage):
        """Its public key, as the cryptography package reads it."""
        answer = self.kms.get_public_key(KeyId=self.key_id(spec, usage))
        return load_der_public_key(answer["PublicKey"])
