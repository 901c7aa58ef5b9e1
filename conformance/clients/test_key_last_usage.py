"""GetKeyLastUsage: the last successful cryptographic operation with a key.

Exact at once, after a clean restart, and after the server was killed right behind an answer.
"""

import datetime
import hashlib
import random
import threading

import botocore.exceptions
import pytest

from connection import Connection

OTHER = "222222222222"
OPERATIONS = {
    "SYMMETRIC_DEFAULT": [
        "Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext",
        "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext",
    ],
    "ECC_NIST_P256 SIGN_VERIFY": ["Sign", "Verify"],
    "HMAC_256 GENERATE_VERIFY_MAC": ["GenerateMac", "VerifyMac"],
    "ECC_NIST_P256 KEY_AGREEMENT": ["DeriveSharedSecret"],
    "ML_KEM_512 ENCAPSULATE_DECAPSULATE": ["Encapsulate", "Decapsulate"],
}


def make(kms, kind="SYMMETRIC_DEFAULT"):
    """A new key of that spec and usage."""
    spec, _, usage = kind.partition(" ")
    return kms.create_key(KeySpec=spec, KeyUsage=usage or "ENCRYPT_DECRYPT")["KeyMetadata"]


def usage(kms, key):
    """The whole answer, without what botocore adds."""
    answer = kms.get_key_last_usage(KeyId=key["KeyId"])
    del answer["ResponseMetadata"]
    return answer


def last(kms, key):
    """What the answer says of the last use."""
    return usage(kms, key)["KeyLastUsage"]


def request_id(answer):
    """The request's id, as its header says it."""
    return answer["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"]


def perform(kms, operation, key, **more):
    """One successful operation with the key; gives the answer."""
    name = {"KeyId": key["KeyId"]} | more
    signing = name | {"Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}
    mac = name | {"Message": b"m", "MacAlgorithm": "HMAC_SHA_256"}
    kem = name | {"EncapsulationAlgorithm": "ML_KEM"}
    if operation == "Encrypt":
        return kms.encrypt(Plaintext=b"x", **name)
    if operation == "Decrypt":
        blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
        return kms.decrypt(CiphertextBlob=blob, **more)
    if operation == "ReEncrypt":
        blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
        return kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key["KeyId"], **more)
    if operation == "Verify":
        signature = kms.sign(**(signing | {"DryRun": False}))["Signature"]
        return kms.verify(Signature=signature, **signing)
    if operation == "VerifyMac":
        code = kms.generate_mac(**(mac | {"DryRun": False}))["Mac"]
        return kms.verify_mac(Mac=code, **mac)
    if operation == "DeriveSharedSecret":
        peer = make(kms, "ECC_NIST_P256 KEY_AGREEMENT")
        public_key = kms.get_public_key(KeyId=peer["KeyId"])["PublicKey"]
        return kms.derive_shared_secret(
            KeyAgreementAlgorithm="ECDH", PublicKey=public_key, **name)
    if operation == "Decapsulate":
        made = kms.encapsulate(**(kem | {"DryRun": False}))
        return kms.decapsulate(
            SharedSecretCiphertextBlob=made["SharedSecretCiphertextBlob"], **kem)
    call, arguments = {
        "GenerateDataKey": (kms.generate_data_key, {"KeySpec": "AES_256"}),
        "GenerateDataKeyWithoutPlaintext":
            (kms.generate_data_key_without_plaintext, {"KeySpec": "AES_256"}),
        "GenerateDataKeyPair": (kms.generate_data_key_pair, {"KeyPairSpec": "ECC_NIST_P256"}),
        "GenerateDataKeyPairWithoutPlaintext":
            (kms.generate_data_key_pair_without_plaintext, {"KeyPairSpec": "ECC_NIST_P256"}),
        "Sign": (kms.sign, signing),
        "GenerateMac": (kms.generate_mac, mac),
        "Encapsulate": (kms.encapsulate, kem),
    }[operation]
    return call(**(name | arguments))


def expected(server, operation, answer):
    """What must be told of that answer, by its record in the audit log."""
    [record] = [one for one in server.audit() if one.get("requestID") == request_id(answer)
                and one["userIdentity"].get("type") != "AWSAccount"]
    return {
        "Operation": operation,
        "Timestamp": datetime.datetime.fromisoformat(record["eventTime"]),
        "CloudTrailEventId": record["eventID"],
        "KmsRequestId": request_id(answer),
    }


@pytest.mark.parametrize(
    ("kind", "operation"),
    [(kind, operation) for kind, operations in OPERATIONS.items() for operation in operations])
def test_each_operation_counts(own_server, kind, operation):
    kms = own_server.kms()
    key = make(kms, kind)
    answer = perform(kms, operation, key)
    told = expected(own_server, operation, answer)
    assert last(kms, key) == told
    # A dry run that would have succeeded doesn't count.
    with pytest.raises(botocore.exceptions.ClientError, match="DryRunOperationException"):
        kms_answer = perform(kms, operation, key, DryRun=True)
        assert kms_answer is None
    if operation not in ("Decrypt", "ReEncrypt", "Verify", "VerifyMac", "Decapsulate"):
        assert last(kms, key) == told


def test_the_answer_of_a_key_that_was_never_used(server, kms, key):
    answer = usage(kms, key)
    assert answer == {
        "KeyId": key["KeyId"],
        "KeyLastUsage": {},
        "TrackingStartDate": key["CreationDate"],
        "KeyCreationDate": key["CreationDate"],
    }
    by_arn = kms.get_key_last_usage(KeyId=key["Arn"])
    assert by_arn["KeyId"] == key["KeyId"]
    raw = server.send_kms("TrentService.GetKeyLastUsage", b'{"KeyId":"%s"}' % key["KeyId"].encode(),
                          account=key["AWSAccountId"])
    assert raw[0] == 200 and b'"KeyLastUsage":{}' in raw[2]


def test_what_does_not_count(server, kms, key):
    made = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    told = expected(server, "Encrypt", made)
    name = {"KeyId": key["KeyId"]}
    blob = made["CiphertextBlob"]

    def refused(code, call, **arguments):
        with pytest.raises(botocore.exceptions.ClientError, match=code):
            call(**arguments)

    refused("InvalidCiphertext", kms.decrypt, CiphertextBlob=blob[:-1] + b"?")
    refused("InvalidCiphertext", kms.decrypt, CiphertextBlob=blob, EncryptionContext={"a": "b"})
    refused("DryRunOperation", kms.decrypt, CiphertextBlob=blob, DryRun=True)
    refused("DryRunOperation", kms.encrypt, Plaintext=b"x", DryRun=True, **name)
    refused("ValidationException", kms.generate_data_key, **name)
    refused("AccessDenied", server.kms(OTHER).encrypt, KeyId=key["Arn"], Plaintext=b"x")
    refused("InvalidKeyUsage", kms.sign, Message=b"m", SigningAlgorithm="ECDSA_SHA_256", **name)
    kms.describe_key(**name)
    kms.get_key_policy(**name)
    kms.generate_random(NumberOfBytes=8)
    kms.tag_resource(Tags=[{"TagKey": "a", "TagValue": "b"}], **name)
    kms.enable_key_rotation(**name)
    kms.rotate_key_on_demand(**name)
    kms.disable_key(**name)
    refused("DisabledException", kms.encrypt, Plaintext=b"x", **name)
    refused("DisabledException", kms.decrypt, CiphertextBlob=blob)
    assert last(kms, key) == told
    kms.schedule_key_deletion(**name)
    assert last(kms, key) == told


def test_a_public_key_is_given_without_use(kms):
    key = make(kms, "ECC_NIST_P256 SIGN_VERIFY")
    kms.get_public_key(KeyId=key["KeyId"])
    assert last(kms, key) == {}
    signature = {"Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256", "Signature": b"0" * 64}
    with pytest.raises(kms.exceptions.KMSInvalidSignatureException):
        kms.verify(KeyId=key["KeyId"], **signature)
    assert last(kms, key) == {}


def test_re_encryption_uses_both_keys(server, kms, key):
    destination = make(kms)
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    answer = kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=destination["KeyId"])
    told = expected(server, "ReEncrypt", answer)
    assert (last(kms, key), last(kms, destination)) == (told, told)


def test_another_accounts_use_counts_but_it_may_not_ask(server, kms, account, key):
    policy = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*",
        "Principal": {"AWS": ["%s", "%s"]}, "Resource": "*"}]}""" % (account, OTHER)
    kms.put_key_policy(KeyId=key["KeyId"], Policy=policy)
    other = server.kms(OTHER)
    answer = other.encrypt(KeyId=key["Arn"], Plaintext=b"x")
    told = last(kms, key)
    assert told == expected(server, "Encrypt", answer)
    with pytest.raises(botocore.exceptions.ClientError, match="AccessDeniedException"):
        other.get_key_last_usage(KeyId=key["Arn"])
    assert last(kms, key) == told


def test_names_of_keys(kms, key):
    kms.create_alias(AliasName="alias/a", TargetKeyId=key["KeyId"])
    for name in ["alias/a", "alias/none", "11111111-2222-4333-8444-555555555555"]:
        with pytest.raises(kms.exceptions.NotFoundException):
            kms.get_key_last_usage(KeyId=name)


def test_a_clean_restart_keeps_uses(own_server):
    kms = own_server.kms()
    keys = [make(kms) for _ in range(4)]
    told = [expected(own_server, "Encrypt", perform(kms, "Encrypt", key)) for key in keys[1:]]
    for _ in range(2):
        assert own_server.stop() == 0
        kms = own_server.restart().kms()
        assert [last(kms, key) for key in keys] == [{}, *told]
    assert usage(kms, keys[0])["TrackingStartDate"] == keys[0]["CreationDate"]


def test_a_killed_server_has_forgotten_no_use(own_server):
    """Writers use keys until the server is killed; what the log says last of each is told."""
    kms = own_server.kms()
    keys = [make(kms)["KeyId"] for _ in range(8)]
    moments = random.Random(7)
    for number in range(8):
        acknowledged = {}
        stop = threading.Event()

        def write(mine, acknowledged=acknowledged, stop=stop):
            with Connection(own_server.endpoint) as connection:
                while not stop.is_set():
                    for key in mine:
                        answer = connection.call("Encrypt", {"KeyId": key, "Plaintext": "eA=="})
                        assert answer.status == 200
                        acknowledged[key] = answer.request_id()

        threads = [threading.Thread(target=write, args=[keys[n::2]]) for n in range(2)]
        for thread in threads:
            thread.start()
        stop.wait(moments.choice([0.05, 0.4, 2.5]) * moments.random())
        stop.set()
        for thread in threads:
            thread.join()
        # Nothing is in flight: the last answers are the last uses.
        own_server.kill9()
        kms = own_server.restart().kms()
        for key, request in acknowledged.items():
            told = kms.get_key_last_usage(KeyId=key)["KeyLastUsage"]
            assert told["KmsRequestId"] == request, (number, key)


def test_a_server_killed_at_work_tells_what_its_log_tells(own_server):
    kms = own_server.kms()
    keys = [make(kms)["KeyId"] for _ in range(3)]
    for delay in [0.05, 0.6, 2.2]:
        def write():
            try:
                with Connection(own_server.endpoint) as connection:
                    while True:
                        for key in keys:
                            connection.call("Encrypt", {"KeyId": key, "Plaintext": "eA=="})
            except Exception:  # The server is gone, in whatever way.
                return

        threads = [threading.Thread(target=write) for _ in range(3)]
        for thread in threads:
            thread.start()
        threading.Event().wait(delay)
        own_server.kill9()
        for thread in threads:
            thread.join()
        kms = own_server.restart().kms()
        uses = {}
        for record in own_server.audit():
            if record["eventName"] == "Encrypt":
                uses[record["resources"][0]["ARN"].rsplit("/")[-1]] = record["eventID"]
        for key in keys:
            told = kms.get_key_last_usage(KeyId=key)["KeyLastUsage"]
            assert told["CloudTrailEventId"] == uses[key], delay


def test_concurrent_uses(server, kms, key):
    """Whoever has an answer finds its use or a later one; at the end, the log's last."""
    failures = []

    def work():
        mine = server.kms(key["AWSAccountId"])
        try:
            for _ in range(15):
                mine.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
                assert last(mine, key)["Operation"] == "Encrypt"
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    records = [one for one in server.audit() if one["eventName"] == "Encrypt"
               and [named["ARN"] for named in one["resources"]] == [key["Arn"]]]
    assert len(records) == 60
    assert last(kms, key)["CloudTrailEventId"] == records[-1]["eventID"]


def test_the_clock_moves(own_server):
    kms = own_server.kms()
    key = make(kms)
    own_server.advance(days=3650)
    late = expected(own_server, "Encrypt", perform(kms, "Encrypt", key))
    assert last(kms, key) == late
    own_server.kill9()
    # The moved clock ends with the process: ten years back.
    kms = own_server.restart().kms()
    assert last(kms, key) == late
    early = expected(own_server, "Encrypt", perform(kms, "Encrypt", key))
    assert early["Timestamp"] < late["Timestamp"]
    assert last(kms, key) == early
    assert own_server.stop() == 0
    assert last(own_server.restart().kms(), key) == early


def test_a_deleted_key_leaves_nothing(own_server):
    kms = own_server.kms()
    key = make(kms)
    perform(kms, "Encrypt", key)
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    own_server.advance(days=8)
    with pytest.raises(kms.exceptions.NotFoundException):
        usage(kms, key)
    assert own_server.stop() == 0
    store = (own_server.data_dir / "state.sqlite3").read_bytes()
    assert b"kms/usage-tracking" in store
    assert b"kms/usage/" + key["AWSAccountId"].encode() not in store


def test_a_reset_forgets(own_server):
    kms = own_server.kms()
    key = make(kms)
    perform(kms, "Encrypt", key)
    own_server.reset()
    with pytest.raises(kms.exceptions.NotFoundException):
        usage(kms, key)
    fresh = make(kms)
    told = expected(own_server, "Encrypt", perform(kms, "Encrypt", fresh))
    own_server.kill9()
    kms = own_server.restart().kms()
    assert last(kms, fresh) == told
    assert usage(kms, fresh)["TrackingStartDate"] == fresh["CreationDate"]


def test_in_memory(own_memory_server):
    kms = own_memory_server.kms()
    key = make(kms)
    assert last(kms, key) == {}
    answer = perform(kms, "Encrypt", key)
    # Longer than uses stay before they are stored.
    threading.Event().wait(3)
    assert last(kms, key)["KmsRequestId"] == request_id(answer)


def test_a_log_that_was_taken_away(own_server):
    """What was stored stays when the operator moves the log elsewhere."""
    kms = own_server.kms()
    keys = [make(kms) for _ in range(2)]
    told = [expected(own_server, "Encrypt", perform(kms, "Encrypt", key)) for key in keys]
    assert own_server.stop() == 0
    log = own_server.data_dir / "audit.jsonl"
    digest = hashlib.sha256(log.read_bytes()).hexdigest()
    log.rename(own_server.home / "old.jsonl")
    kms = own_server.restart().kms()
    assert [last(kms, key) for key in keys] == told
    newer = expected(own_server, "Encrypt", perform(kms, "Encrypt", keys[0]))
    own_server.kill9()
    kms = own_server.restart().kms()
    assert [last(kms, key) for key in keys] == [newer, told[1]]
    assert hashlib.sha256((own_server.home / "old.jsonl").read_bytes()).hexdigest() == digest
