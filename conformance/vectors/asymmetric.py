#!/usr/bin/env python3
"""Holds crate crypto against the Python package `cryptography`, both ways, with keys of one run.

It owns a second implementation of every algorithm that it can find there and knows nothing of
the Rust code: what is signed, encrypted, agreed or encapsulated on one side is checked on the
other. It starts the example `interop` of the crate (or the binary that is given as argument) and
needs `cryptography` 50 or later. Ed25519ph and ML-KEM-512 are not in that package; the crate's own
tests hold them against RFC 8032 and Wycheproof.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, hmac, keywrap
from cryptography.hazmat.primitives.asymmetric import (
    ec, ed25519, mldsa, mlkem, padding, rsa, utils,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding, NoEncryption, PrivateFormat, PublicFormat, load_der_private_key, load_der_public_key,
)

ROOT = Path(__file__).resolve().parents[2]
MESSAGE = b"what both sides sign"
HASHES = {1: hashes.SHA1, 224: hashes.SHA224, 256: hashes.SHA256, 384: hashes.SHA384,
          512: hashes.SHA512}
RSA_SPECS = {"RSA_2048": 2048, "RSA_3072": 3072, "RSA_4096": 4096}
CURVES = {
    "ECC_NIST_P256": (ec.SECP256R1, 256), "ECC_NIST_P384": (ec.SECP384R1, 384),
    "ECC_NIST_P521": (ec.SECP521R1, 512), "ECC_SECG_P256K1": (ec.SECP256K1, 256),
}
ML_DSA = {"ML_DSA_44": mldsa.MLDSA44PrivateKey, "ML_DSA_65": mldsa.MLDSA65PrivateKey,
          "ML_DSA_87": mldsa.MLDSA87PrivateKey}
ML_KEM = {"ML_KEM_768": mlkem.MLKEM768PrivateKey, "ML_KEM_1024": mlkem.MLKEM1024PrivateKey}
MACS = {"HMAC_224": 224, "HMAC_256": 256, "HMAC_384": 384, "HMAC_512": 512}
checks = 0


def check(condition, what):
    global checks
    checks += 1
    if not condition:
        sys.exit(f"FAILED: {what}")


class Rust:
    """The other side."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, kind, do, **members):
        request = {"kind": kind, "do": do}
        for name, value in members.items():
            request[name] = value.hex() if isinstance(value, bytes) else value
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def get(self, member, kind, do, **members):
        answer = self.ask(kind, do, **members)
        if member not in answer:
            sys.exit(f"FAILED: {kind} {do} {members.get('spec')}: {answer}")
        return answer[member] if member == "valid" else bytes.fromhex(answer[member])

    def refuses(self, why, kind, do, **members):
        answer = self.ask(kind, do, **members)
        check(why in answer.get("refused", ""), f"{kind} {do} should say {why!r}: {answer}")


def pkcs8(key):
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def spki(key):
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def digest(bits, message=MESSAGE):
    hasher = hashes.Hash(HASHES[bits]())
    hasher.update(message)
    return hasher.finalize()


def verifies(verify, *arguments):
    try:
        verify(*arguments)
        return True
    except InvalidSignature:
        return False


def signatures(rust, kind, members, verify, sign, altered=True):
    """Ours verified there, theirs verified here, and an altered one refused on both sides."""
    ours = rust.get("signature", kind, "sign", **members)
    check(verifies(verify, ours), f"{members} of ours")
    check(rust.get("valid", kind, "verify", signature=sign(), **members), f"{members} of theirs")
    if altered:
        bad = ours[:-1] + bytes([ours[-1] ^ 1])
        check(not verifies(verify, bad), f"{members} altered")
        rust.refuses("not valid", kind, "verify", signature=bad, **members)


def rsa_padding(algorithm, hash_bits):
    hash_type = HASHES[hash_bits]
    if "PSS" in algorithm:
        return padding.PSS(padding.MGF1(hash_type()), hash_type.digest_size)
    return padding.PKCS1v15()


def oaep(bits):
    return padding.OAEP(padding.MGF1(HASHES[bits]()), HASHES[bits](), None)


def check_rsa_key(rust, spec, key):
    common = {"spec": spec, "private": pkcs8(key)}
    check(rust.get("public", "rsa", "public", **common) == spki(key), f"{spec} public key")
    schemes = [(f"RSASSA_{p}_SHA_{b}", b) for p in ("PSS", "PKCS1_V1_5") for b in (256, 384, 512)]
    for algorithm, bits in schemes:
        pad, hash_type = rsa_padding(algorithm, bits), HASHES[bits]()
        prehashed = utils.Prehashed(hash_type)
        members = {**common, "algorithm": algorithm}
        public = key.public_key()
        signatures(rust, "rsa", {**members, "message": MESSAGE},
                   lambda s: public.verify(s, MESSAGE, pad, hash_type),
                   lambda: key.sign(MESSAGE, pad, hash_type))
        signatures(rust, "rsa", {**members, "digest": digest(bits)},
                   lambda s: public.verify(s, MESSAGE, pad, hash_type),
                   lambda: key.sign(digest(bits), pad, prehashed))
    for bits, overhead in ((1, 42), (256, 66)):
        members = {**common, "algorithm": f"RSAES_OAEP_SHA_{bits}"}
        for plaintext in (b"", b"x", b"m" * (key.key_size // 8 - overhead)):
            ours = rust.get("ciphertext", "rsa", "encrypt", plaintext=plaintext, **members)
            check(key.decrypt(ours, oaep(bits)) == plaintext, f"{spec} OAEP {bits} of ours")
            theirs = key.public_key().encrypt(plaintext, oaep(bits))
            opened = rust.get("plaintext", "rsa", "decrypt", ciphertext=theirs, **members)
            check(opened == plaintext, f"{spec} OAEP {bits} of theirs")
        rust.refuses("at most", "rsa", "encrypt", **members,
                     plaintext=b"m" * (key.key_size // 8 - overhead + 1))


def check_rsa(rust):
    keys = {spec: rsa.generate_private_key(65537, bits) for spec, bits in RSA_SPECS.items()}
    for spec, key in keys.items():
        check_rsa_key(rust, spec, key)
        pair = rust.ask("pair", "generate", spec=spec)
        ours = load_der_private_key(bytes.fromhex(pair["private"]), None)
        exponent = ours.public_key().public_numbers().e
        check((ours.key_size, exponent) == (RSA_SPECS[spec], 65537), spec)
        check(spki(ours).hex() == pair["public"], f"{spec} data key pair")
    check_rsa_key(rust, "RSA_2048", load_der_private_key(
        bytes.fromhex(rust.ask("pair", "generate", spec="RSA_2048")["private"]), None))
    good = keys["RSA_2048"]
    take = {"spec": "RSA_2048"}
    rust.refuses("exponent", "rsa", "public", **take,
                 private=pkcs8(rsa.generate_private_key(3, 2048)))
    rust.refuses("size", "rsa", "public", private=pkcs8(keys["RSA_3072"]), **take)
    rust.refuses("PKCS#8", "rsa", "public", private=pkcs8(good) + b"\0", **take)
    rust.refuses("PKCS#8", "rsa", "public", **take, private=good.private_bytes(
        Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    rust.refuses("another", "rsa", "public", private=pkcs8(ec.generate_private_key(ec.SECP256R1())),
                 **take)


def check_ec_key(rust, spec, key):
    curve, bits = CURVES[spec]
    common = {"spec": spec, "private": pkcs8(key)}
    check(rust.get("public", "ec", "public", **common) == spki(key), f"{spec} public key")
    algorithm, prehashed = ec.ECDSA(HASHES[bits]()), ec.ECDSA(utils.Prehashed(HASHES[bits]()))
    for members, sign in (
        ({"message": MESSAGE}, lambda: key.sign(MESSAGE, algorithm)),
        ({"digest": digest(bits)}, lambda: key.sign(digest(bits), prehashed)),
    ):
        signatures(rust, "ec", {**common, **members},
                   lambda s: key.public_key().verify(s, MESSAGE, algorithm), sign)
    peer = ec.generate_private_key(curve())
    if spec == "ECC_SECG_P256K1":
        rust.refuses("no key agreement", "ec", "agree", peer=spki(peer), **common)
        return
    ours = rust.get("secret", "ec", "agree", peer=spki(peer), **common)
    check(ours == peer.exchange(ec.ECDH(), key.public_key()), f"{spec} agreement")
    other = ec.SECP256R1 if curve is not ec.SECP256R1 else ec.SECP384R1
    rust.refuses("peer", "ec", "agree", peer=spki(ec.generate_private_key(other())), **common)


def check_ec(rust):
    for spec, (curve, _) in CURVES.items():
        check_ec_key(rust, spec, ec.generate_private_key(curve()))
        pair = rust.ask("pair", "generate", spec=spec)
        ours = load_der_private_key(bytes.fromhex(pair["private"]), None)
        check(spki(ours).hex() == pair["public"], f"{spec} data key pair")
        check_ec_key(rust, spec, ours)
        rust.refuses("PKCS#8", "ec", "public", spec=spec, private=pkcs8(ours) + b"\0")


def check_ed25519(rust):
    pair = rust.ask("pair", "generate", spec="ECC_NIST_EDWARDS25519")
    ours = load_der_private_key(bytes.fromhex(pair["private"]), None)
    check(spki(ours).hex() == pair["public"], "Ed25519 data key pair")
    for key in (ours, ed25519.Ed25519PrivateKey.generate()):
        common = {"private": pkcs8(key), "message": MESSAGE}
        check(rust.get("public", "ed25519", "public", **common) == spki(key), "Ed25519 public key")
        signatures(rust, "ed25519", common, lambda s: key.public_key().verify(s, MESSAGE),
                   lambda: key.sign(MESSAGE))


def check_ml_dsa(rust):
    for spec, kind in ML_DSA.items():
        key = kind.generate()
        public, mu = key.public_key(), None
        common = {"spec": spec, "private": pkcs8(key)}
        check(rust.get("public", "ml_dsa", "public", **common) == spki(key), f"{spec} public key")
        hasher = hashes.Hash(hashes.SHAKE256(64))
        hasher.update(public.public_bytes_raw())
        tr = hasher.finalize()
        hasher = hashes.Hash(hashes.SHAKE256(64))
        hasher.update(tr + b"\0\0" + MESSAGE)
        mu = hasher.finalize()
        signatures(rust, "ml_dsa", {**common, "message": MESSAGE},
                   lambda s: public.verify(s, MESSAGE), lambda: key.sign(MESSAGE))
        signatures(rust, "ml_dsa", {**common, "mu": mu},
                   lambda s: public.verify(s, MESSAGE), lambda: key.sign_mu(mu))
        rust.refuses("63 bytes", "ml_dsa", "sign", mu=mu[1:], **common)


def check_ml_kem(rust):
    for spec, kind in ML_KEM.items():
        pair = rust.ask("pair", "generate", spec=spec)
        ours = load_der_private_key(bytes.fromhex(pair["private"]), None)
        check(spki(ours).hex() == pair["public"], f"{spec} data key pair")
        for key in (ours, kind.generate()):
            common = {"spec": spec, "private": pkcs8(key)}
            check(rust.get("public", "ml_kem", "public", **common) == spki(key), f"{spec} public")
            made = rust.ask("ml_kem", "encapsulate", **common)
            opened = key.decapsulate(bytes.fromhex(made["ciphertext"]))
            check(opened.hex() == made["secret"], f"{spec} of ours")
            secret, ciphertext = key.public_key().encapsulate()
            opened = rust.get("secret", "ml_kem", "decapsulate", ciphertext=ciphertext, **common)
            check(opened == secret, f"{spec} of theirs")
            bad = bytes([ciphertext[0] ^ 1]) + ciphertext[1:]
            rejected = rust.get("secret", "ml_kem", "decapsulate", ciphertext=bad, **common)
            check(rejected == key.decapsulate(bad) != secret, f"{spec} implicit rejection")
            rust.refuses("bytes", "ml_kem", "decapsulate", ciphertext=ciphertext[1:], **common)


def mac(bits, key):
    state = hmac.HMAC(key, HASHES[bits]())
    state.update(MESSAGE)
    return state.finalize()


def check_macs(rust):
    for spec, bits in MACS.items():
        key = os.urandom(bits // 8)
        common = {"spec": spec, "private": key, "message": MESSAGE}
        expected = mac(bits, key)
        check(rust.get("mac", "mac", "mac", **common) == expected, f"{spec} of ours")
        check(rust.get("valid", "mac", "verify", mac=expected, **common), f"{spec} of theirs")
        rust.refuses("not valid", "mac", "verify", mac=expected[:-1] + b"\0\0", **common)
        rust.refuses("bytes instead of", "mac", "mac", **{**common, "private": key[1:]})


def wrap(public, algorithm, material):
    """What a client of ImportKeyMaterial does."""
    bits = int(algorithm.rsplit("_", 1)[1])
    if algorithm.startswith("RSAES"):
        return public.encrypt(material, oaep(bits))
    kek = os.urandom(32)
    return public.encrypt(kek, oaep(bits)) + keywrap.aes_key_wrap_with_padding(kek, material)


def check_imports(rust):
    material = {spec: os.urandom(bits // 8) for spec, bits in MACS.items()}
    keys = {
        **{spec: rsa.generate_private_key(65537, bits) for spec, bits in RSA_SPECS.items()},
        **{spec: ec.generate_private_key(curve()) for spec, (curve, _) in CURVES.items()},
        **{spec: kind.generate() for spec, kind in ML_DSA.items()},
        "ECC_NIST_EDWARDS25519": ed25519.Ed25519PrivateKey.generate(),
    }
    for wrapping in RSA_SPECS:
        public = load_der_public_key(
            rust.get("public", "import", "parameters", wrapping_spec=wrapping))
        check(public.key_size == RSA_SPECS[wrapping], f"{wrapping} wrapping key")
        for algorithm in ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1",
                          "RSA_AES_KEY_WRAP_SHA_256"):
            common = {"wrapping_spec": wrapping, "algorithm": algorithm}
            for spec, key in material.items():
                got = rust.get("mac", "import", "open", spec=spec, message=MESSAGE, **common,
                               encrypted=wrap(public, algorithm, key))
                check(got == mac(MACS[spec], key), f"{spec} imported")
            most = RSA_SPECS[wrapping] // 8 - (42 if algorithm.endswith("SHA_1") else 66)
            for spec, key in keys.items():
                if algorithm.startswith("RSAES") and len(pkcs8(key)) > most:
                    continue
                got = rust.get("public", "import", "open", spec=spec, **common,
                               encrypted=wrap(public, algorithm, pkcs8(key)))
                check(got == spki(key), f"{spec} imported")
            good = wrap(public, algorithm, material["HMAC_256"])
            bad = good[:-1] + bytes([good[-1] ^ 1])
            for encrypted in (bad, good[:-1], good + b"\0", b""):
                rust.refuses("does not open", "import", "open", spec="HMAC_256", message=MESSAGE,
                             encrypted=encrypted, **common)
        withdrawn = public.encrypt(material["HMAC_256"], padding.PKCS1v15())
        for algorithm in ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"):
            rust.refuses("does not open", "import", "open", spec="HMAC_256", message=MESSAGE,
                         encrypted=withdrawn, wrapping_spec=wrapping, algorithm=algorithm)


def main():
    command = sys.argv[1:] or ["cargo", "run", "--quiet", "-p", "crypto", "--example", "interop"]
    rust = Rust(command)
    for part in (check_rsa, check_ec, check_ed25519, check_ml_dsa, check_ml_kem, check_macs,
                 check_imports):
        before = checks
        part(rust)
        print(f"{part.__name__.removeprefix('check_')}: {checks - before} checks")
    rust.process.stdin.close()
    check(rust.process.wait() == 0, "the other side ended well")
    print(f"all {checks} agree")


if __name__ == "__main__":
    main()
