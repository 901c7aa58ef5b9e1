"""Key material is in the server's locked memory and nowhere else.

The keys are opened here, from the files that the server has written, by another implementation of
the format that docs/internals/ describes. Then the whole process and every file is searched for
them. So this is a check of the stored format as well.
"""

import base64
import concurrent.futures
import contextlib
import importlib.util
import json
import os
import pathlib
import resource
import signal
import sqlite3
import subprocess

import pytest

import memory
import strongroom

VECTORS = strongroom.REPOSITORY / "conformance" / "vectors" / "check.py"
REGIONS = ["us-east-1", "eu-central-1"]
ACCOUNT = "111122223333"
KEYS_PER_REGION = 3
PLAINTEXT = b"a plaintext that nobody else would think of"
CONTEXT = {"purpose": "to be found in the audit log"}
# How many of the one-time keys are looked for: each costs a pass over the memory.
ONE_TIME_KEYS = 12


def vectors():
    """conformance/vectors/check.py: the format's second implementation."""
    spec = importlib.util.spec_from_file_location("blob_vectors", VECTORS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FORMAT = vectors()


def use(server, keys):
    """Uses every key in every way, from several threads, and returns what came of it."""
    def use_one(place, number):
        region, key = place
        kms = server.kms(ACCOUNT, region)
        blobs, made = [], []
        for _ in range(15):
            sealed = kms.encrypt(KeyId=key, Plaintext=PLAINTEXT, EncryptionContext=CONTEXT)
            blobs.append(sealed["CiphertextBlob"])
            opened = kms.decrypt(CiphertextBlob=blobs[-1], EncryptionContext=CONTEXT)
            assert opened["Plaintext"] == PLAINTEXT
            data_key = kms.generate_data_key(KeyId=key, KeySpec="AES_256")
            made.append(data_key["Plaintext"])
            other = next(k for r, k in keys if r == region and k != key)
            moved = kms.re_encrypt(
                CiphertextBlob=data_key["CiphertextBlob"], DestinationKeyId=other,
            )
            assert kms.decrypt(CiphertextBlob=moved["CiphertextBlob"])["Plaintext"] == made[-1]
            made.append(kms.generate_random(NumberOfBytes=32 + number)["Plaintext"])
        return key, blobs, made

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return list(pool.map(use_one, keys, range(len(keys))))


class Hierarchy:
    """The keys of a data directory, opened by the rules of docs/internals/key-hierarchy.md."""

    def __init__(self, data_dir):
        file = (data_dir / "root.key").read_bytes()
        assert (len(file), file[:16]) == (80, b"strongroom-root\x01")
        self.root_key = file[16:48]
        check = FORMAT.fill_root_key_file({"root_key": self.root_key.hex()})["file"]
        assert check == file
        self.domain_keys = {}
        self.materials = {}
        database = sqlite3.connect(f"file:{data_dir / 'state.sqlite3'}?mode=ro", uri=True)
        try:
            rows = database.execute("SELECT key, value FROM records ORDER BY key").fetchall()
        finally:
            database.close()
        for place, value in rows:
            if place.startswith(b"keystore/domain-key/"):
                self.open_domain_key(place.decode(), value)
        for place, value in rows:
            if place.startswith(b"kms/key/"):
                self.open_materials(place.decode(), value)

    def open_domain_key(self, place, wrapped):
        region, number = place.split("/")[2:]
        assert len(number) == 10
        binding = region.encode() + b"\0" + str(int(number)).encode()
        self.domain_keys[region, int(number)] = FORMAT.unwrap(
            {"root_key": self.root_key.hex(), "wrapped": wrapped.hex(), "binding": binding.hex()},
            "root_key", FORMAT.DOMAIN_KEY,
        )

    def open_materials(self, place, value):
        account, region, key_id = place.split("/")[2:]
        assert value[:1] == b"\x01"
        record = json.loads(value[1:])
        arn = f"arn:aws:kms:{region}:{account}:key/{key_id}"
        for material in record["materials"]:
            wrapped = base64.b64decode(material["wrapped"], validate=True)
            assert wrapped[:1] == b"\x01"
            domain_key = self.domain_keys[region, int.from_bytes(wrapped[1:5], "big")]
            binding = "\0".join([arn, material["id"], record["spec"]]).encode()
            opened = FORMAT.unwrap(
                {"domain_key": domain_key.hex(), "wrapped": wrapped[5:].hex(),
                 "binding": binding.hex()},
                "domain_key", FORMAT.SYMMETRIC,
            )
            vector = {"material": opened.hex(), "account": account, "key_id": key_id}
            assert FORMAT.material_id(vector).hex() == material["id"]
            self.materials[key_id] = (material["id"], opened)

    def secrets(self):
        """Every key with a name for the report."""
        keys = {f"material of {key}": material for key, (_, material) in self.materials.items()}
        keys |= {f"domain key {name}": key for name, key in self.domain_keys.items()}
        return keys | {"root key": self.root_key}

    def open_blob(self, key_id, blob, context):
        """A ciphertext opened without the server."""
        material = self.materials[key_id][1]
        return FORMAT.open_blob({"material": material.hex(), "blob": blob.hex(),
                                 "context": context})

    def one_time_key(self, key_id, blob):
        """The key that one ciphertext is sealed with."""
        nonce = blob[FORMAT.HEADER:FORMAT.HEADER + FORMAT.NONCE]
        return FORMAT.derive(self.materials[key_id][1], b"strongroom/v1/blob", nonce)


def search_process(pid, secrets):
    """Which secret is in which mapping of the process: a set of names and mappings."""
    looked_for = {name: memory.forms(secret) for name, secret in secrets.items()}
    overlap = max(len(form) for forms in looked_for.values() for form in forms)
    hits, searched = [], 0
    with memory.halted(pid):
        for mapping in memory.mappings(pid):
            resident = mapping.sizes["Rss"] + mapping.sizes.get("Swap", 0)
            if mapping.name in memory.KERNELS or resident == 0:
                continue
            for piece in memory.contents(pid, mapping, overlap):
                searched += len(piece)
                hits += [(name, mapping) for name, forms in looked_for.items()
                         if any(form in piece for form in forms)]
    return hits, searched


def search_files(directory, secrets):
    """Which secret is in which file below the directory."""
    hits = []
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            hits += [(name, path.name) for name, secret in secrets.items()
                     if any(form in content for form in [secret, *memory.encodings(secret)])]
    return hits


def readable(pid):
    """Skips the test where the kernel keeps the server's memory from this user."""
    try:
        with open(f"/proc/{pid}/mem", "rb"), open(f"/proc/{pid}/smaps", "rb") as smaps:
            smaps.readline()
    except PermissionError:
        pytest.skip("the server's memory can be read by root alone: the process is not dumpable")


def assert_only_locked(pid, keys, vanished, public):
    """The keys must be in locked memory alone, what has vanished must not be anywhere, and
    something that is no secret must be found as well."""
    hits, searched = search_process(pid, keys | vanished | {"public": public})
    assert searched > 1 << 20
    # A search that doesn't find what must be there would find nothing anywhere.
    assert {name for name, mapping in hits if not mapping.locked()} == {"public"}
    assert {name for name, mapping in hits if mapping.locked()} == set(keys)
    for mapping in {mapping for _, mapping in hits if mapping.locked()}:
        # Locked in deed: every page is in RAM, and a child process gets none of it ("dc").
        assert mapping.sizes["Locked"] == mapping.sizes["Rss"] == mapping.sizes["Size"], mapping
        assert "dc" in mapping.flags, mapping


def test_key_material_is_in_locked_memory_alone(own_server):
    readable(own_server.pid())
    keys, ids = [], {}
    for region in REGIONS:
        for _ in range(KEYS_PER_REGION):
            key = own_server.kms(ACCOUNT, region).create_key()["KeyMetadata"]
            keys.append((region, key["KeyId"]))
            ids[key["KeyId"]] = key["CurrentKeyMaterialId"]
    before = use(own_server, keys)
    hierarchy = Hierarchy(own_server.data_dir)
    assert {key: material_id for key, (material_id, _) in hierarchy.materials.items()} == ids
    sealed = [(key, blob) for key, blobs, _ in before for blob in blobs]
    for key, blob in sealed:
        assert hierarchy.open_blob(key, blob, CONTEXT) == PLAINTEXT
    one_time = {f"one-time key {number}": hierarchy.one_time_key(key, blob)
                for number, (key, blob) in enumerate(sealed[::-1][:ONE_TIME_KEYS])}
    # The server holds the record of each key that is in use.
    public = keys[0][1].encode()
    assert_only_locked(own_server.pid(), hierarchy.secrets(), one_time, public)

    # Again, with keys that were read from the store and not made by this process.
    assert own_server.stop() == 0
    own_server.restart()
    after = use(own_server, keys)
    assert_only_locked(own_server.pid(), hierarchy.secrets(), one_time, public)

    plaintexts = {f"plaintext {number}": plaintext for number, plaintext in enumerate(
        [PLAINTEXT, *(text for _, _, made in before + after for text in made)])}
    own_server.kill9()
    found = search_files(own_server.home, hierarchy.secrets() | plaintexts)
    assert found == [("root key", "root.key")]
    # The search of the files isn't blind either.
    told = search_files(own_server.home, {"context": CONTEXT["purpose"].encode()})
    assert told == [("context", "audit.jsonl")]


def test_the_stored_format_outlives_a_restart(own_server):
    """What one process wrapped is what the next one reads: the material stays the same."""
    kms = own_server.kms(ACCOUNT)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    materials = Hierarchy(own_server.data_dir).materials
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    own_server.kill9()
    own_server.restart()
    kms = own_server.kms(ACCOUNT)
    again = kms.encrypt(KeyId=key, Plaintext=b"y")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    hierarchy = Hierarchy(own_server.data_dir)
    assert hierarchy.materials == materials
    assert hierarchy.open_blob(key, blob, {}) == b"x"
    assert hierarchy.open_blob(key, again, {}) == b"y"


def died_with_core(process):
    """Aborts the process and says whether the kernel then dumped it."""
    os.kill(process, signal.SIGABRT)
    # The status stays to be fetched by whoever started the process.
    status = os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)
    return status.si_code == os.CLD_DUMPED


@pytest.fixture
def cores(tmp_path):
    """Core files are wanted in here, as far as this process has a say."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    yield tmp_path
    resource.setrlimit(resource.RLIMIT_CORE, before)


def test_the_process_leaves_no_core(cores, own_server):
    limits = pathlib.Path(f"/proc/{own_server.pid()}/limits").read_text().splitlines()
    core = next(line for line in limits if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]
    # Neither when the limit is lifted by somebody who may: the process is not dumpable.
    with contextlib.suppress(PermissionError):
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(own_server.pid(), resource.RLIMIT_CORE, unlimited)
    assert not died_with_core(own_server.pid())
    other = subprocess.Popen(["sleep", "60"], cwd=cores)
    if not died_with_core(other.pid):
        pytest.skip("no process leaves a core here, so the server's proves nothing")
    other.wait()


@pytest.mark.parametrize("name", ["root.key", "state.sqlite3", "audit.jsonl"])
def test_nobody_else_may_read_the_files(server, name):
    assert os.stat(server.data_dir / name).st_mode & 0o777 == 0o600
    assert os.stat(server.data_dir).st_mode & 0o777 == 0o700
