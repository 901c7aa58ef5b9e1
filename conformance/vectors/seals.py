#!/usr/bin/env python3
"""Opens the installations in seals-v1.json with another implementation of the same primitives.

It owns a second reading of docs/internals/seals.md and knows nothing of the Rust code. With the
records and each secret alone it comes to the root key, opens a domain key with it, and holds
everything else in the records against it; altered ones it sees refused. With --write it renews
`made_outside`, which the tests of crate seals open. It needs the Python package `cryptography`.
"""

import base64
import hashlib
import json
import struct
import sys
from pathlib import Path

from check import NONCE, Refused, derive, open_sealed, seal
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

FILE = Path(__file__).with_name("seals-v1.json")
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ROOT_KEY, SEAL_KEY = b"strongroom/v1/seal/root-key", b"strongroom/v1/seal/seal-key"
DOMAIN_KEY, DOMAIN_BINDING = b"strongroom/v1/wrap/domain-key", b"eu-central-1\x001"
PREVIOUS = b"strongroom/v1/wrap/root-key"


def wrap(secret, label, binding, key, nonce, iv):
    return b"\x01" + seal(secret, label, nonce, iv, label + b"\x00" + binding, key)


def unwrap(secret, label, binding, wrapped):
    if wrapped[:1] != b"\x01":
        raise Refused
    return open_sealed(secret, label, wrapped[1:], label + b"\x00" + binding)


def fields(*values):
    out = b""
    for value in values:
        if isinstance(value, int):
            value = str(value)
        value = value.encode() if isinstance(value, str) else value
        out += struct.pack(">I", len(value)) + value
    return out


def method_fields(method):
    kind = method["kind"]
    if kind == "passphrase":
        numbers = method["memory_kib"], method["passes"], method["lanes"]
        return fields(kind, base64.b64decode(method["salt"]), *numbers)
    if kind == "shares":
        return fields(kind, method["set"], method["threshold"], *method["ids"])
    if kind == "kms":
        ciphertext = base64.b64decode(method["ciphertext"])
        endpoint = method.get("endpoint", "")
        return fields(kind, method["region"], endpoint, method["key_id"], ciphertext)
    return fields(kind)


def binding(record):
    members = ("installation", "id", "name", "created", "renewed", "version", "root_key_number")
    return fields(*(record[name] for name in members)) + method_fields(record["method"])


def description(seal_set):
    out = fields(seal_set["installation"], seal_set["version"], seal_set["root_key_number"])
    for one in seal_set["seals"]:
        out += fields(one["id"], one["name"], one["version"], one["digest"])
    return out


def argon2id(passphrase, method):
    return Argon2id(
        salt=base64.b64decode(method["salt"]), length=32, iterations=method["passes"],
        lanes=method["lanes"], memory_cost=method["memory_kib"],
    ).derive(passphrase.encode())


def one_step(data, label, context):
    """SP 800-56C, one-step derivation, option 1 with SHA-256."""
    fixed = label + b"\x00" + context + struct.pack(">I", 256)
    return hashlib.sha256(struct.pack(">I", 1) + data + fixed).digest()


def checksum(body):
    return one_step(body, b"strongroom/v1/seal/share-checksum", b"")[:5]


def share_text(body):
    number = int.from_bytes(body + checksum(body), "big")
    letters = "".join(LETTERS[number >> 5 * place & 31] for place in reversed(range(72)))
    return "SRS1-" + "-".join(letters[at:at + 6] for at in range(0, 72, 6))


def parse_share(text):
    """Set, threshold, number and value."""
    prefix, letters = text[:5], text[5:].replace("-", "")
    if prefix != "SRS1-" or len(letters) != 72:
        raise Refused
    number = 0
    for letter in letters:
        number = number << 5 | LETTERS.index(letter)
    content = number.to_bytes(45, "big")
    if content[:1] != b"\x01" or checksum(content[:40]) != content[40:]:
        raise Refused
    return content[1:6], content[6], content[7], content[8:40]


def share_id(of_set, threshold, number, value):
    return derive(value, b"strongroom/v1/seal/share-id", of_set + bytes([threshold, number])).hex()


def times(one, other):
    """The product in GF(2^8) by the polynomial 0x11B."""
    product = 0
    while other:
        if other & 1:
            product ^= one
        one, other = one << 1 ^ (0x11B if one & 0x80 else 0), other >> 1
    return product


def inverse(value):
    return next(other for other in range(1, 256) if times(value, other) == 1)


def combine(points):
    """Lagrange's interpolation at 0 of (x, bytes)."""
    secret = bytes(32)
    for x, value in points:
        weight = 1
        for other, _ in points:
            if other != x:
                weight = times(weight, times(other, inverse(other ^ x)))
        secret = bytes(a ^ times(weight, b) for a, b in zip(secret, value))
    return secret


def split(key, coefficients, x):
    """The share at x of polynomials with `key` at 0 and two more coefficients for each byte."""
    first, second = coefficients
    return bytes(
        k ^ times(a, x) ^ times(b, times(x, x)) for k, a, b in zip(key, first, second))


def key_file(key):
    head = b"strongroom-seal\x01"
    return head + key + derive(key, b"strongroom/v1/seal/key-file", head)


def decoded(record):
    if record[:1] != b"\x01":
        raise Refused
    return json.loads(record[1:])


def seal_keys(installation, records):
    """The seal key of each seal, from its secret."""
    keys = {}
    for record in records:
        method, seal_id = record["method"], record["id"]
        if method["kind"] == "passphrase":
            keys[seal_id] = argon2id(installation["passphrase"], method)
        elif method["kind"] == "key-file":
            content = bytes.fromhex(installation["key_file"])
            keys[seal_id] = content[16:48]
            assert key_file(keys[seal_id]) == content
        else:
            shares = [parse_share(text) for text in installation["shares"]]
            for of_set, threshold, number, value in shares:
                assert (of_set.hex(), threshold) == (method["set"], method["threshold"])
                assert share_id(of_set, threshold, number, value) == method["ids"][number - 1]
            for first in range(len(shares) - 2):
                points = [share[2:] for share in shares[first:first + 3]]
                assert keys.setdefault(seal_id, combine(points)) == combine(points)
    return keys


def check(name, installation):
    records = {place: bytes.fromhex(value) for place, value in installation["records"].items()}
    seal_set = decoded(records["seal-set"])
    seals = [decoded(value) for place, value in records.items() if place.startswith("seal/")]
    roots = set()
    keys = seal_keys(installation, seals)
    for record in seals:
        key, bound = keys[record["id"]], binding(record)
        root = unwrap(key, ROOT_KEY, bound, base64.b64decode(record["root_key"]))
        assert unwrap(root, SEAL_KEY, bound, base64.b64decode(record["seal_key"])) == key
        roots.add(root)
        for altered in bound[:-1] + bytes([bound[-1] ^ 1]), b"":
            try:
                unwrap(key, ROOT_KEY, altered, base64.b64decode(record["root_key"]))
            except Refused:
                continue
            raise SystemExit(f"{name}: a root key opens with another binding")
    (root,) = roots
    domain_key = bytes.fromhex(installation["domain_key"])
    assert len(unwrap(root, DOMAIN_KEY, DOMAIN_BINDING, domain_key)) == 32
    listed = {one["id"]: one["digest"] for one in seal_set["seals"]}
    digests = {
        place.removeprefix("seal/"): hashlib.sha256(value).hexdigest()
        for place, value in records.items() if place.startswith("seal/")
    }
    assert listed == digests and len(listed) == 3
    mac = derive(root, b"strongroom/v1/seal/set", description(seal_set))
    assert mac == base64.b64decode(seal_set["mac"])
    if "keystore/root-key/previous" in records:
        previous = unwrap(root, PREVIOUS, b"", records["keystore/root-key/previous"])
        assert len(previous) == 32 and previous != root
    print(f"{FILE.name}: {name} opens with each of its {len(seals)} seals")


def counting(first, length):
    return bytes((first + at) % 256 for at in range(length))


def encoded(value):
    return base64.b64encode(value).decode()


def made_outside():
    """An installation whose inputs appear nowhere in the Rust code. No key in it is a real one."""
    root, passphrase = counting(0x40, 32), "outside of the house, \u00e9\u5bc6 \U0001f511"
    installation, salts = counting(0xA0, 16).hex(), iter(range(1, 100))
    keys = {"desk": None, "holders": counting(0x11, 32), "usb": counting(0x77, 32)}
    coefficients = counting(0x31, 32), counting(0xC5, 32)
    of_set = counting(0x51, 5)
    values = {x: split(keys["holders"], coefficients, x) for x in range(1, 6)}
    methods = {
        "desk": {"kind": "passphrase", "salt": encoded(counting(0xB0, 16)),
                 "memory_kib": 9000, "passes": 2, "lanes": 3},
        "holders": {"kind": "shares", "set": of_set.hex(), "threshold": 3,
                    "ids": [share_id(of_set, 3, x, value) for x, value in values.items()]},
        "usb": {"kind": "key-file"},
    }
    keys["desk"] = argon2id(passphrase, methods["desk"])
    records, listed = {}, []

    def salted(secret, label, bound, key):
        salt = next(salts)
        return wrap(secret, label, bound, key, counting(salt * 7, NONCE), counting(salt * 13, 12))

    for number, (name, method) in enumerate(methods.items(), 1):
        record = {
            "installation": installation, "id": counting(number * 16, 8).hex(), "name": name,
            "created": 1700000000000 + number, "renewed": 1800000000000 + number,
            "method": method, "version": 4 + number, "root_key_number": 9,
        }
        bound = binding(record)
        record["root_key"] = encoded(salted(keys[name], ROOT_KEY, bound, root))
        record["seal_key"] = encoded(salted(root, SEAL_KEY, bound, keys[name]))
        written = b"\x01" + json.dumps(record, ensure_ascii=False).encode()
        records["seal/" + record["id"]] = written.hex()
        listed.append({"id": record["id"], "name": name, "version": record["version"],
                       "digest": hashlib.sha256(written).hexdigest()})
    seal_set = {"installation": installation, "version": 8, "root_key_number": 9, "seals": listed}
    seal_set["mac"] = encoded(derive(root, b"strongroom/v1/seal/set", description(seal_set)))
    records["seal-set"] = (b"\x01" + json.dumps(seal_set).encode()).hex()
    return {
        "records": records, "passphrase": passphrase, "key_file": key_file(keys["usb"]).hex(),
        "shares": [share_text(b"\x01" + of_set + bytes([3, x]) + value)
                   for x, value in values.items()],
        "domain_key": salted(root, DOMAIN_KEY, DOMAIN_BINDING, counting(0xE1, 32)).hex(),
    }


def main():
    vectors = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    if sys.argv[1:] == ["--write"]:
        vectors["made_outside"] = made_outside()
        text = json.dumps(vectors, indent=2, sort_keys=True, ensure_ascii=False)
        FILE.write_text(text + "\n", encoding="utf-8")
    elif sys.argv[1:]:
        raise SystemExit("usage: seals.py [--write]")
    if vectors["made_outside"] != made_outside():
        raise SystemExit("made_outside is not what this script makes; run it with --write")
    for name, installation in vectors.items():
        check(name, installation)


if __name__ == "__main__":
    main()
