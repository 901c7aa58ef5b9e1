// The stations of keys that have to do with others: material from outside, grants, replicas, the
// record of the last use. life.mjs goes through them with its client.

import assert from "node:assert/strict";
import { constants, createPublicKey, publicEncrypt, randomBytes } from "node:crypto";
import {
  CreateGrantCommand, CreateKeyCommand, DecryptCommand, DeleteImportedKeyMaterialCommand,
  DescribeKeyCommand, EncryptCommand, GetKeyLastUsageCommand, GetParametersForImportCommand,
  ImportKeyMaterialCommand, KMSClient, ListRetirableGrantsCommand, ReplicateKeyCommand,
  RetireGrantCommand, RevokeGrantCommand, UpdatePrimaryRegionCommand, paginateListGrants,
} from "@aws-sdk/client-kms";

const text = new TextEncoder().encode("attack at dawn");

// Goes through them all. `send` sends a command, `refused` expects an error of the service's.
export async function relations({ account, kms, send, refused }) {
  await imports(send, refused);
  await grants(account, kms, send);
  await replicas(send);
}

async function imports(send, refused) {
  const { KeyMetadata: key } = await send(CreateKeyCommand, { Origin: "EXTERNAL" });
  const { KeyId } = key;
  assert.equal(key.KeyState, "PendingImport");
  const material = randomBytes(32);
  const bring = async (bytes) => {
    const parameters = await send(GetParametersForImportCommand, {
      KeyId, WrappingAlgorithm: "RSAES_OAEP_SHA_256", WrappingKeySpec: "RSA_2048",
    });
    const wrapping = createPublicKey({
      key: Buffer.from(parameters.PublicKey), format: "der", type: "spki",
    });
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    return send(ImportKeyMaterialCommand, {
      KeyId, ImportToken: parameters.ImportToken,
      EncryptedKeyMaterial: publicEncrypt({ key: wrapping, oaepHash: "sha256", padding }, bytes),
      ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE",
    });
  };
  const { KeyMaterialId } = await bring(material);
  const { CiphertextBlob } = await send(EncryptCommand, { KeyId, Plaintext: text });
  await send(DeleteImportedKeyMaterialCommand, { KeyId });
  await refused(
    send(DecryptCommand, { CiphertextBlob }), "KMSInvalidStateException",
    `${key.Arn} is pending import.`,
  );
  await refused(bring(randomBytes(32)), "IncorrectKeyMaterialException");
  await bring(material);
  const opened = await send(DecryptCommand, { CiphertextBlob });
  assert.deepEqual(Buffer.from(opened.Plaintext), Buffer.from(text));
  assert.equal(opened.KeyMaterialId, KeyMaterialId);
}

async function grants(account, kms, send) {
  const { KeyId } = (await send(CreateKeyCommand, {})).KeyMetadata;
  const root = `arn:aws:iam::${account}:root`;
  const asked = {
    KeyId, GranteePrincipal: root, RetiringPrincipal: root, Operations: ["Decrypt"],
    Constraints: { EncryptionContextSubset: { tenant: "a" } },
  };
  const first = await send(CreateGrantCommand, { ...asked, Name: "one" });
  const again = await send(CreateGrantCommand, { ...asked, Name: "one" });
  assert.equal(again.GrantId, first.GrantId);
  const second = await send(CreateGrantCommand, asked);
  const seen = [];
  for await (const page of paginateListGrants({ client: kms, pageSize: 1 }, { KeyId })) {
    seen.push(...page.Grants.map((grant) => grant.GrantId));
  }
  assert.deepEqual(seen.sort(), [first.GrantId, second.GrantId].sort());
  const { Grants } = await send(ListRetirableGrantsCommand, { RetiringPrincipal: root });
  assert.equal(Grants.length, 2);
  await send(RetireGrantCommand, { GrantToken: first.GrantToken });
  await send(RevokeGrantCommand, { KeyId, GrantId: second.GrantId });
  const left = await send(ListRetirableGrantsCommand, { RetiringPrincipal: root });
  assert.deepEqual(left.Grants, []);
}

async function replicas(send) {
  const { KeyMetadata: key } = await send(CreateKeyCommand, { MultiRegion: true });
  const { KeyId } = key;
  const unused = await send(GetKeyLastUsageCommand, { KeyId });
  assert.deepEqual(unused.KeyLastUsage, {});
  await send(ReplicateKeyCommand, { KeyId, ReplicaRegion: "eu-west-1" });
  const { CiphertextBlob } = await send(EncryptCommand, { KeyId, Plaintext: text });
  const { KeyLastUsage } = await send(GetKeyLastUsageCommand, { KeyId });
  assert.equal(KeyLastUsage.Operation, "Encrypt");
  assert.ok(Math.abs(KeyLastUsage.Timestamp - Date.now()) < 60_000);
  const away = new KMSClient({ region: "eu-west-1", maxAttempts: 1 });
  const opened = await away.send(new DecryptCommand({ CiphertextBlob }));
  assert.deepEqual(Buffer.from(opened.Plaintext), Buffer.from(text));
  await send(UpdatePrimaryRegionCommand, { KeyId, PrimaryRegion: "eu-west-1" });
  const { KeyMetadata } = await send(DescribeKeyCommand, { KeyId });
  assert.equal(KeyMetadata.MultiRegionConfiguration.MultiRegionKeyType, "REPLICA");
}
