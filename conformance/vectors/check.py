#!/usr/bin/env python3
"""Checks blob-v1.json with another implementation of the same primitives, both ways.

It owns a second reading of docs/internals/blob-format.md and key-hierarchy.md and knows nothing
of the Rust code. It computes every output in the file from its inputs, opens every sealed value,
sees every altered one refused, and with --write renews the section `made_outside`, which the
tests of crate crypto open. It needs the Python package `cryptography`.
"""

import json
import struct
import sys
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFHMAC, CounterLocation, Mode

FILE = Path(__file__).with_name("blob-v1.json")
HEADER, NONCE, IV, TAG = 58, 16, 12, 16


class Refused(Exception):
    """A sealed value that does not open."""


def derive(secret, label, context):
    """SP 800-108, counter mode, HMAC-SHA-256, 32-bit counter and length."""
    return KBKDFHMAC(
        algorithm=hashes.SHA256(), mode=Mode.CounterMode, length=32, rlen=4, llen=4,
        location=CounterLocation.BeforeFixed, label=label, context=context, fixed=None,
    ).derive(secret)


def seal(secret, label, nonce, iv, aad, plaintext):
    return nonce + iv + AESGCM(derive(secret, label, nonce)).encrypt(iv, plaintext, aad)


def open_sealed(secret, label, sealed, aad):
    if len(sealed) < NONCE + IV + TAG:
        raise Refused
    nonce, iv = sealed[:NONCE], sealed[NONCE:NONCE + IV]
    try:
        return AESGCM(derive(secret, label, nonce)).decrypt(iv, sealed[NONCE + IV:], aad)
    except InvalidTag as refused:
        raise Refused from refused


def raw(vector, name):
    return bytes.fromhex(vector[name])


def canonical(context):
    out = struct.pack(">I", len(context))
    for key, value in sorted((k.encode(), v.encode()) for k, v in context.items()):
        out += struct.pack(">I", len(key)) + key + struct.pack(">I", len(value)) + value
    return out


def key_identity(vector):
    key_id, kind = vector["key_id"], 0
    if key_id.startswith("mrk-"):
        key_id, kind = key_id[4:], 1
    id_bytes = bytes.fromhex(key_id.replace("-", ""))
    assert len(id_bytes) == 16
    return struct.pack(">BQ", kind, int(vector["account"])) + id_bytes


def material_id(vector):
    return derive(raw(vector, "material"), b"strongroom/v1/material-id", key_identity(vector))


def fill_blob(vector):
    header = b"\x01" + key_identity(vector) + material_id(vector)
    assert len(header) == HEADER
    nonce, iv, context = raw(vector, "nonce"), raw(vector, "iv"), canonical(vector["context"])
    sealed = seal(raw(vector, "material"), b"strongroom/v1/blob", nonce, iv,
                  header + nonce + iv + context, raw(vector, "plaintext"))
    return {"blob": header + sealed, "context_bytes": context,
            "material_id": material_id(vector)}


def open_blob(vector):
    blob = raw(vector, "blob")
    header, sealed = blob[:HEADER], blob[HEADER:]
    aad = header + sealed[:NONCE + IV] + canonical(vector["context"])
    return open_sealed(raw(vector, "material"), b"strongroom/v1/blob", sealed, aad)


def wrap(vector, secret, label, binding, key):
    aad = label + b"\x00" + binding
    sealed = seal(raw(vector, secret), label, raw(vector, "nonce"), raw(vector, "iv"), aad,
                  raw(vector, key))
    return {"binding": binding, "wrapped": b"\x01" + sealed}


def unwrap(vector, secret, label):
    wrapped = raw(vector, "wrapped")
    if wrapped[:1] != b"\x01":
        raise Refused
    aad = label + b"\x00" + raw(vector, "binding")
    return open_sealed(raw(vector, secret), label, wrapped[1:], aad)


DOMAIN_KEY, SYMMETRIC = b"strongroom/v1/wrap/domain-key", b"strongroom/v1/wrap/symmetric"


def fill_domain_key_wrap(vector):
    binding = vector["region"].encode() + b"\x00" + str(vector["version"]).encode()
    return wrap(vector, "root_key", DOMAIN_KEY, binding, "domain_key")


def fill_material_wrap(vector):
    parts = vector["key_arn"], vector["material_id"], vector["key_spec"]
    return wrap(vector, "domain_key", SYMMETRIC, "\x00".join(parts).encode(), "material")


def fill_root_key_file(vector):
    head, key = b"strongroom-root\x01", raw(vector, "root_key")
    return {"file": head + key + derive(key, b"strongroom/v1/root-key-file", head)}


# For each list of the file: what computes its outputs, what opens one of its vectors, and the
# input that must come out. Identifiers and key files aren't opened, only computed.
LISTS = {
    "blobs": (fill_blob, open_blob, "plaintext"),
    "material_ids": (lambda vector: {"material_id": material_id(vector)}, None, None),
    "domain_key_wraps": (
        fill_domain_key_wrap, lambda v: unwrap(v, "root_key", DOMAIN_KEY), "domain_key"),
    "material_wraps": (
        fill_material_wrap, lambda v: unwrap(v, "domain_key", SYMMETRIC), "material"),
    "root_key_files": (fill_root_key_file, None, None),
}


def counting(first, length):
    return bytes(range(first, first + length)).hex()


def made_outside():
    """Vectors whose inputs appear nowhere in the Rust code. No key in them is a real one."""
    key_id, account = "0f0e0d0c-0b0a-4908-8706-050403020100", "999988887777"
    identity = {"material": counting(0x90, 32), "account": account, "key_id": key_id}
    salt = {"nonce": counting(0xE0, 16), "iv": counting(0xF0, 12)}
    blob = {"name": "made outside", "plaintext": b"from outside".hex(), **identity, **salt}
    wrapped = {"name": "made outside", "domain_key": counting(0xB0, 32), **salt}
    lists = {
        "blobs": [
            {**blob, "context": {}},
            {**blob, "context": {"a": "bc"}, "nonce": counting(0xD0, 16)},
            {**blob, "context": {"\u5bc6": "\U0001f511", "k": ""}, "nonce": counting(0xC0, 16)},
            {**blob, "context": {}, "key_id": "mrk-0f0e0d0c0b0a49088706050403020100"},
        ],
        "material_ids": [identity],
        "domain_key_wraps": [
            {**wrapped, "root_key": counting(0x70, 32), "region": "ap-south-1", "version": 3}],
        "material_wraps": [{
            **wrapped, "material": identity["material"], "key_spec": "SYMMETRIC_DEFAULT",
            "key_arn": f"arn:aws:kms:ap-south-1:{account}:key/{key_id}",
            "material_id": material_id(identity).hex(),
        }],
        "root_key_files": [{"root_key": counting(0x70, 32)}],
    }
    for name, (fill, _, _) in LISTS.items():
        for vector in lists[name]:
            vector.update({key: value.hex() for key, value in fill(vector).items()})
    return lists


def check_list(where, name, vectors):
    fill, open_vector, expected = LISTS[name]
    if not vectors:
        raise SystemExit(f"{where}{name} is empty")
    for number, vector in enumerate(vectors):
        title = f"{where}{name}[{number}]"
        for output, value in fill(vector).items():
            if vector[output] != value.hex():
                raise SystemExit(f"{title}: {output} differs")
        if open_vector and open_vector(vector) != raw(vector, expected):
            raise SystemExit(f"{title}: opens to something else")
    return len(vectors)


def check_refused(vectors):
    if not vectors:
        raise SystemExit("refused_blobs is empty")
    for vector in vectors:
        try:
            open_blob(vector)
        except Refused:
            continue
        raise SystemExit(f"refused_blobs: {vector['name']}: opens")
    return len(vectors)


def main():
    vectors = json.loads(FILE.read_text(encoding="utf-8"))
    if sys.argv[1:] == ["--write"]:
        vectors["made_outside"] = made_outside()
        text = json.dumps(vectors, indent=2, sort_keys=True, ensure_ascii=False)
        FILE.write_text(text + "\n", encoding="utf-8")
    elif sys.argv[1:]:
        raise SystemExit("usage: check.py [--write]")
    if vectors["made_outside"] != made_outside():
        raise SystemExit("made_outside is not what this script makes; run it with --write")
    checked = check_refused(vectors["refused_blobs"])
    for name in LISTS:
        checked += check_list("", name, vectors[name])
        checked += check_list("made_outside.", name, vectors["made_outside"][name])
    print(f"{FILE.name}: {checked} vectors agree")


if __name__ == "__main__":
    main()
