"""A data directory with one of everything, for later versions to read: made by a running server.

    STRONGROOM_BIN=OLD-BINARY python3 upgrade_world.py FOLDER

writes `data.tar.gz` and `expectations.json` into the folder. Its root key and access keys are
throw-aways that guard nothing. Owns what is in the directory; `test_upgrade.py` holds newer
servers against it.
"""

import gzip
import io
import json
import os
import pathlib
import sys
import tarfile
import tempfile
import time

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import strongroom
from iam_world import document, statement
from imports import bring, external, parameters, wrap
from observations import Observer, packed
from specs import KINDS, LISTS
from sts_world import Issuer, account_root, trusting

HOME, OTHER = "111122223333", "444455556666"
REGION, AWAY = "us-east-1", "eu-west-1"
CONTEXT = {"purpose": "upgrade", "ünïcode": "wörth"}
MESSAGE = b"a message of an earlier version"
DAYS = 86_400


class World:
    """Makes everything, and observes it."""

    def __init__(self, server):
        self.server = server
        self.seen = Observer(server)
        self.kms = self.seen.caller("root", HOME).client("kms")
        self.away = self.seen.callers["root"].client("kms", AWAY)
        self.iam = self.seen.callers["root"].client("iam")
        self.guest = self.seen.caller("guest", OTHER).client("kms")
        self.keys = []

    def make(self):
        """All of it, in an order in which time moves forward."""
        self.rotated()
        self.states()
        self.imported()
        self.identities()
        self.relatives()
        for spec, usage in KINDS:
            self.kind(spec, usage)
        self.permissions()
        self.lists()
        return self.seen.written()

    def key(self, **arguments):
        """The id of a fresh key."""
        key = self.kms.create_key(**arguments)["KeyMetadata"]["KeyId"]
        self.keys.append(key)
        return key

    def blob(self, key, kms=None, region=REGION):
        """A ciphertext that later versions must open."""
        made = (kms or self.kms).encrypt(KeyId=key, Plaintext=MESSAGE, EncryptionContext=CONTEXT)
        self.seen.see("root", "kms", "decrypt", region, CiphertextBlob=made["CiphertextBlob"],
                      EncryptionContext=CONTEXT)
        return made["CiphertextBlob"]

    def states(self):
        for state in ("enabled", "disabled", "pending"):
            tags = [{"TagKey": "state", "TagValue": state}, {"TagKey": "empty", "TagValue": ""}]
            key = self.key(Description=f"{state}: é", Tags=tags)
            self.kms.create_alias(AliasName=f"alias/upgrade/{state}", TargetKeyId=key)
            self.blob(key)
            if state == "disabled":
                self.kms.disable_key(KeyId=key)
            if state == "pending":
                self.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=30)
        key = self.key(Description="with a policy of its own")
        policy = document(
            statement("kms:*", Principal=account_root(HOME)),
            statement("kms:Decrypt", Principal=account_root(OTHER),
                      Condition={"StringEquals": {"kms:EncryptionContext:purpose": "upgrade"}}),
            statement("kms:Encrypt", effect="Deny", Principal="*",
                      Condition={"StringNotEquals": {"kms:EncryptionContext:purpose": "upgrade"}}),
        )
        self.kms.put_key_policy(KeyId=key, Policy=policy)
        blob = self.blob(key)
        self.seen.see("guest", "kms", "decrypt", CiphertextBlob=blob, EncryptionContext=CONTEXT)
        self.seen.see("guest", "kms", "encrypt", KeyId=self.arn(key), Plaintext=b"x")
        self.seen.see("root", "kms", "encrypt", KeyId=key, Plaintext=b"x")
        self.granted(self.key(Description="with grants"))

    def arn(self, key, region=REGION):
        return f"arn:aws:kms:{region}:{HOME}:key/{key}"

    def granted(self, key):
        constraint = {"EncryptionContextSubset": {"purpose": "upgrade"}}
        grantee = account_root(OTHER)["AWS"]
        self.kms.create_grant(
            KeyId=key, GranteePrincipal=grantee, RetiringPrincipal=grantee, Name="subset",
            Operations=["Decrypt", "RetireGrant"], Constraints=constraint,
        )
        again = self.kms.create_grant(
            KeyId=key, GranteePrincipal=grantee, Operations=["Encrypt", "DescribeKey"],
        )
        blob = self.blob(key)
        bare = self.kms.encrypt(KeyId=key, Plaintext=MESSAGE)["CiphertextBlob"]
        see = self.seen.see
        see("guest", "kms", "decrypt", CiphertextBlob=blob, EncryptionContext=CONTEXT)
        see("guest", "kms", "decrypt", CiphertextBlob=bare)
        see("guest", "kms", "describe_key", KeyId=self.arn(key),
            GrantTokens=[again["GrantToken"]])
        see("guest", "kms", "generate_data_key", KeyId=self.arn(key), KeySpec="AES_256")
        see("guest", "kms", "list_retirable_grants", RetiringPrincipal=grantee)

    def rotated(self):
        key = self.key(Description="rotated")
        self.kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=100)
        self.blob(key)
        self.kms.rotate_key_on_demand(KeyId=key)
        self.blob(key)
        self.server.advance(days=101)
        self.kms.encrypt(KeyId=key, Plaintext=b"x")
        self.blob(key)
        self.seen.see("root", "kms", "list_key_rotations", KeyId=key,
                      IncludeKeyMaterial="ALL_KEY_MATERIAL")
        self.seen.see("root", "kms", "get_key_rotation_status", KeyId=key)

    def imported(self):
        key = external(self.kms)["KeyId"]
        bring(self.kms, key, bytes(range(32)))
        self.blob(key)
        bring(self.kms, key, bytes(range(1, 33)), ImportType="NEW_KEY_MATERIAL")
        self.kms.rotate_key_on_demand(KeyId=key)
        self.blob(key)
        bring(self.kms, key, bytes(range(2, 34)), ImportType="NEW_KEY_MATERIAL")
        deleted = external(self.kms)["KeyId"]
        bring(self.kms, deleted, bytes(range(3, 35)))
        self.blob(deleted)
        self.kms.delete_imported_key_material(KeyId=deleted)
        mac = external(self.kms, "HMAC_256", "GENERATE_VERIFY_MAC")["KeyId"]
        bring(self.kms, mac, bytes(range(4, 36)))
        waiting = external(self.kms)["KeyId"]
        got = parameters(self.kms, waiting)
        self.keys += [key, deleted, mac, waiting]
        self.waiting = {
            "KeyId": waiting, "ImportToken": got["ImportToken"],
            "EncryptedKeyMaterial": wrap("RSAES_OAEP_SHA_256", got["PublicKey"], bytes(range(32))),
            "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
        }

    def relatives(self):
        key = self.key(MultiRegion=True, Description="primary")
        blob = self.blob(key)
        self.kms.replicate_key(KeyId=key, ReplicaRegion=AWAY, Description="replica")
        self.kms.rotate_key_on_demand(KeyId=key)
        self.blob(key, self.away, AWAY)
        see = self.seen.see
        see("root", "kms", "decrypt", AWAY, CiphertextBlob=blob, EncryptionContext=CONTEXT)
        see("root", "kms", "describe_key", AWAY, KeyId=key)
        see("root", "kms", "get_key_policy", AWAY, KeyId=key)

    def kind(self, spec, usage):
        key = self.key(KeySpec=spec, KeyUsage=usage)
        metadata = self.seen.see("root", "kms", "describe_key", KeyId=key)["KeyMetadata"]
        if not spec.startswith(("HMAC", "SYMMETRIC")):
            self.seen.see("root", "kms", "get_public_key", KeyId=key)
        for algorithm in metadata[LISTS[usage]]:
            self.use(key, usage, algorithm)

    def use(self, key, usage, algorithm):
        see = self.seen.see
        if usage == "ENCRYPT_DECRYPT":
            named = {"KeyId": key, "EncryptionAlgorithm": algorithm}
            made = self.kms.encrypt(Plaintext=MESSAGE, **named)
            see("root", "kms", "decrypt", CiphertextBlob=made["CiphertextBlob"], **named)
        elif usage == "SIGN_VERIFY":
            named = {"KeyId": key, "SigningAlgorithm": algorithm, "Message": MESSAGE}
            kind = "DIGEST" if "PH" in algorithm else "RAW"
            named["Message"] = bytes(64) if kind == "DIGEST" else MESSAGE
            made = self.kms.sign(MessageType=kind, **named)
            see("root", "kms", "verify", MessageType=kind, Signature=made["Signature"], **named)
        elif usage == "GENERATE_VERIFY_MAC":
            named = {"KeyId": key, "MacAlgorithm": algorithm, "Message": MESSAGE}
            see("root", "kms", "generate_mac", **named)
        elif usage == "KEY_AGREEMENT":
            curve = {256: ec.SECP256R1, 384: ec.SECP384R1, 521: ec.SECP521R1}[
                int(self.kms.describe_key(KeyId=key)["KeyMetadata"]["KeySpec"][-3:])]
            peer = ec.generate_private_key(curve()).public_key().public_bytes(
                Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            see("root", "kms", "derive_shared_secret", KeyId=key, PublicKey=peer,
                KeyAgreementAlgorithm=algorithm)
        else:
            self.encapsulate(key)

    def encapsulate(self, key):
        made = self.kms.encapsulate(KeyId=key, EncapsulationAlgorithm="ML_KEM")
        self.seen.see("root", "kms", "decapsulate", KeyId=key, EncapsulationAlgorithm="ML_KEM",
                      SharedSecretCiphertextBlob=made["SharedSecretCiphertextBlob"])

    def identities(self):
        iam = self.iam
        iam.create_account_alias(AccountAlias="upgrade-world")
        managed = iam.create_policy(
            PolicyName="use-keys", Path="/team/",
            PolicyDocument=document(statement(["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey"])),
        )["Policy"]["Arn"]
        iam.create_policy_version(
            PolicyArn=managed, SetAsDefault=False, PolicyDocument=document(statement("kms:*")),
        )
        iam.create_user(UserName="alice", Tags=[{"Key": "team", "Value": "a"}])
        iam.attach_user_policy(UserName="alice", PolicyArn=managed)
        iam.put_user_policy(UserName="alice", PolicyName="assume",
                            PolicyDocument=document(statement("sts:AssumeRole")))
        iam.create_user(UserName="bob", Path="/people/")
        iam.put_user_policy(UserName="bob", PolicyName="own", PolicyDocument=document(
            statement("kms:*"), statement("kms:ScheduleKeyDeletion", effect="Deny")))
        boundary = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
        iam.put_user_permissions_boundary(UserName="bob", PermissionsBoundary=boundary)
        iam.create_group(GroupName="readers")
        iam.put_group_policy(GroupName="readers", PolicyName="list",
                             PolicyDocument=document(statement("kms:ListKeys")))
        iam.add_user_to_group(GroupName="readers", UserName="alice")
        provider = self.identity_provider()
        federated = "arn:aws:iam::{}:oidc-provider/{}".format(HOME, provider)
        iam.create_role(RoleName="worker", AssumeRolePolicyDocument=trusting(account_root(HOME)))
        iam.put_role_policy(RoleName="worker", PolicyName="own",
                            PolicyDocument=document(statement("kms:*")))
        iam.create_role(RoleName="web", AssumeRolePolicyDocument=trusting(
            {"Federated": federated}, "sts:AssumeRoleWithWebIdentity"))
        self.iam_arns = {"policy": managed, "provider": federated}
        for name in ("alice", "bob"):
            made = iam.create_access_key(UserName=name)["AccessKey"]
            self.seen.caller(name, made["AccessKeyId"], made["SecretAccessKey"])
        self.sleeping()

    def sleeping(self):
        self.iam.create_user(UserName="carol")
        made = self.iam.create_access_key(UserName="carol")["AccessKey"]
        self.seen.caller("carol", made["AccessKeyId"], made["SecretAccessKey"])
        self.iam.update_access_key(
            UserName="carol", AccessKeyId=made["AccessKeyId"], Status="Inactive")

    def identity_provider(self):
        issuer = Issuer("https://issuer.example.com/upgrade")
        self.iam.create_open_id_connect_provider(
            Url=issuer.url, ClientIDList=["app"], ThumbprintList=["a" * 40])
        return issuer.name

    def permissions(self):
        """What everybody may do, and what a session of a role may."""
        key = self.key(Description="for users")
        blob = self.kms.encrypt(KeyId=key, Plaintext=MESSAGE)["CiphertextBlob"]
        role = f"arn:aws:iam::{HOME}:role/worker"
        session = self.seen.callers["alice"].client("sts").assume_role(
            RoleArn=role, RoleSessionName="upgrade", DurationSeconds=3600,
            Policy=document(statement("kms:Decrypt")))["Credentials"]
        self.seen.caller("session", session["AccessKeyId"], session["SecretAccessKey"],
                         session["SessionToken"])
        see = self.seen.see
        for caller in ("alice", "bob", "carol", "session"):
            see(caller, "sts", "get_caller_identity")
            see(caller, "kms", "decrypt", CiphertextBlob=blob)
            see(caller, "kms", "describe_key", KeyId=key)
            see(caller, "kms", "schedule_key_deletion", KeyId=self.arn(key) + "0")
            see(caller, "iam", "list_groups")
        for name in ("alice", "bob"):
            see("root", "iam", "simulate_principal_policy", expect=["EvaluationResults"],
                PolicySourceArn=f"arn:aws:iam::{HOME}:user/" + ("people/" * (name == "bob")) + name,
                ActionNames=["kms:Decrypt", "kms:CreateKey", "iam:ListUsers", "kms:ListKeys"])

    def lists(self):
        """Everything that can be read, at the end."""
        see = self.seen.see
        for key in self.keys:
            see("root", "kms", "describe_key", KeyId=key)
            see("root", "kms", "get_key_policy", KeyId=key)
            see("root", "kms", "list_resource_tags", KeyId=key)
            see("root", "kms", "list_grants", KeyId=key)
        for region in (REGION, AWAY):
            see("root", "kms", "list_keys", region, Limit=1000)
            see("root", "kms", "list_aliases", region, Limit=100)
        see("root", "iam", "list_account_aliases")
        see("root", "iam", "get_account_summary")
        see("root", "iam", "get_account_authorization_details", MaxItems=1000,
            Filter=["User", "Role", "Group", "LocalManagedPolicy"])
        see("root", "iam", "list_policy_versions", PolicyArn=self.iam_arns["policy"])
        see("root", "iam", "get_policy_version", PolicyArn=self.iam_arns["policy"], VersionId="v2")
        see("root", "iam", "list_attached_user_policies", UserName="alice")
        see("root", "iam", "get_open_id_connect_provider",
            OpenIDConnectProviderArn=self.iam_arns["provider"])
        for name in ("alice", "bob", "carol"):
            see("root", "iam", "list_access_keys", UserName=name)


def archive(directory):
    """The directory's files, packed: the same files give the same bytes."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for path in sorted(directory.iterdir()):
            member = tarfile.TarInfo(path.name)
            member.mode, member.size = 0o600, path.stat().st_size
            with path.open("rb") as file:
                tar.addfile(member, file)
    return gzip.compress(plain.getvalue(), 9, mtime=0)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    with tempfile.TemporaryDirectory() as home:
        server = strongroom.Strongroom(home).start()
        world = World(server)
        written = world.make()
        # An import that is half done: its token was made, its material not brought yet.
        written["waiting"] = packed(world.waiting)
        # The clock of that server had been moved: later ones are to be asked at its time.
        written["made_at"] = server.now()
        server.stop()
        (folder / "data.tar.gz").write_bytes(archive(server.data_dir))
    text = json.dumps(written, ensure_ascii=False, separators=(",", ":"))
    (folder / "expectations.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{len(written['calls'])} calls")


if __name__ == "__main__":
    started = time.monotonic()
    main()
    print(f"{time.monotonic() - started:.1f} s")
