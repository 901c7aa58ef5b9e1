// Walks a KMS key's life through the AWS SDK for JavaScript and ends with 1 where an answer isn't
// AWS's. Owns the JavaScript client's expectations; test_javascript.py starts it. The endpoint
// and the credentials come from the environment, as they do for any program on the SDK.

import assert from "node:assert/strict";
import {
  KMSClient, CancelKeyDeletionCommand, CreateAliasCommand, CreateKeyCommand, DecryptCommand,
  DeleteAliasCommand, DescribeKeyCommand, DisableKeyCommand, EnableKeyCommand, EncryptCommand,
  GenerateDataKeyCommand, GenerateDataKeyWithoutPlaintextCommand, GenerateRandomCommand,
  GetKeyPolicyCommand, ListKeyPoliciesCommand, ListResourceTagsCommand, PutKeyPolicyCommand,
  ReEncryptCommand, ScheduleKeyDeletionCommand, TagResourceCommand, UntagResourceCommand,
  UpdateAliasCommand, UpdateKeyDescriptionCommand, paginateListAliases, paginateListKeys,
} from "@aws-sdk/client-kms";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { otherKinds } from "./kinds.mjs";
import { relations } from "./relations.mjs";

const account = process.env.AWS_ACCESS_KEY_ID;
const kms = new KMSClient({ maxAttempts: 1 });
const context = { tenant: "a", purpose: "payroll" };
const text = new TextEncoder().encode("attack at dawn");

const send = (Command, input) => kms.send(new Command(input));

async function refused(attempt, name, message) {
  await assert.rejects(attempt, (error) => {
    assert.equal(error.name, name, error.message);
    assert.equal(error.$metadata.httpStatusCode, 400);
    assert.match(error.$metadata.requestId, /^[0-9a-f-]{36}$/);
    if (message !== undefined) assert.equal(error.message, message);
    return true;
  });
}

async function whoAmI() {
  const { UserId, Account, Arn } = await new STSClient({ maxAttempts: 1 })
    .send(new GetCallerIdentityCommand({}));
  assert.deepEqual({ UserId, Account, Arn }, {
    UserId: account, Account: account, Arn: `arn:aws:iam::${account}:root`,
  });
}

async function metadata(key) {
  assert.ok(key.CreationDate instanceof Date);
  assert.ok(Math.abs(key.CreationDate - Date.now()) < 60_000);
  assert.match(key.CurrentKeyMaterialId, /^[0-9a-f]{64}$/);
  assert.equal(key.Arn, `arn:aws:kms:us-east-1:${account}:key/${key.KeyId}`);
  assert.deepEqual(key, {
    AWSAccountId: account, KeyId: key.KeyId, Arn: key.Arn, CreationDate: key.CreationDate,
    CurrentKeyMaterialId: key.CurrentKeyMaterialId, Description: "ключ \u{1f511}", Enabled: true,
    CustomerMasterKeySpec: "SYMMETRIC_DEFAULT", KeySpec: "SYMMETRIC_DEFAULT",
    EncryptionAlgorithms: ["SYMMETRIC_DEFAULT"], KeyManager: "CUSTOMER", KeyState: "Enabled",
    KeyUsage: "ENCRYPT_DECRYPT", MultiRegion: false, Origin: "AWS_KMS",
  });
  const { KeyMetadata } = await send(DescribeKeyCommand, { KeyId: "alias/javascript" });
  assert.deepEqual(KeyMetadata, key);
}

async function encryption(key, other) {
  const sealed = await send(EncryptCommand, {
    KeyId: "alias/javascript", Plaintext: text, EncryptionContext: context,
  });
  assert.equal(sealed.KeyId, key.Arn);
  const opened = await send(DecryptCommand, {
    CiphertextBlob: sealed.CiphertextBlob,
    EncryptionContext: { purpose: "payroll", tenant: "a" },
  });
  assert.deepEqual(Buffer.from(opened.Plaintext), Buffer.from(text));
  assert.equal(opened.KeyId, key.Arn);
  assert.equal(opened.KeyMaterialId, key.CurrentKeyMaterialId);
  await refused(
    send(DecryptCommand, { CiphertextBlob: sealed.CiphertextBlob }), "InvalidCiphertextException",
  );
  await refused(
    send(DecryptCommand, {
      CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: context, KeyId: other.KeyId,
    }),
    "IncorrectKeyException",
    "The key ID in the request does not identify a CMK that can perform this operation.",
  );
  const moved = await send(ReEncryptCommand, {
    CiphertextBlob: sealed.CiphertextBlob, SourceEncryptionContext: context,
    DestinationKeyId: other.Arn,
  });
  assert.deepEqual([moved.SourceKeyId, moved.KeyId], [key.Arn, other.Arn]);
  const again = await send(DecryptCommand, { CiphertextBlob: moved.CiphertextBlob });
  assert.deepEqual(Buffer.from(again.Plaintext), Buffer.from(text));
  await refused(
    send(EncryptCommand, { KeyId: key.KeyId, Plaintext: text, DryRun: true }),
    "DryRunOperationException", "The request would have succeeded, but the DryRun option is set.",
  );
}

async function dataKeys(key) {
  const made = await send(GenerateDataKeyCommand, {
    KeyId: key.KeyId, KeySpec: "AES_256", EncryptionContext: context,
  });
  assert.equal(made.Plaintext.length, 32);
  assert.equal(made.KeyId, key.Arn);
  const opened = await send(DecryptCommand, {
    CiphertextBlob: made.CiphertextBlob, EncryptionContext: context,
  });
  assert.deepEqual(opened.Plaintext, made.Plaintext);
  const hidden = await send(GenerateDataKeyWithoutPlaintextCommand, {
    KeyId: key.KeyId, NumberOfBytes: 1024,
  });
  assert.ok(!("Plaintext" in hidden));
  const { Plaintext } = await send(GenerateRandomCommand, { NumberOfBytes: 1024 });
  assert.equal(Plaintext.length, 1024);
  await refused(
    send(GenerateDataKeyCommand, { KeyId: key.KeyId }),
    "ValidationException", "Please specify either number of bytes or key spec.",
  );
}

async function management(key, other) {
  const KeyId = key.KeyId;
  await send(UpdateKeyDescriptionCommand, { KeyId, Description: "second" });
  await send(TagResourceCommand, { KeyId, Tags: [{ TagKey: "b", TagValue: "2" }] });
  await send(UntagResourceCommand, { KeyId, TagKeys: ["a"] });
  const { Tags } = await send(ListResourceTagsCommand, { KeyId });
  assert.deepEqual(Tags, [{ TagKey: "b", TagValue: "2" }]);
  const { Policy } = await send(GetKeyPolicyCommand, { KeyId });
  assert.equal(JSON.parse(Policy).Id, "key-default-1");
  await send(PutKeyPolicyCommand, { KeyId, PolicyName: "default", Policy });
  const { PolicyNames } = await send(ListKeyPoliciesCommand, { KeyId });
  assert.deepEqual(PolicyNames, ["default"]);
  await send(UpdateAliasCommand, { AliasName: "alias/javascript", TargetKeyId: other.KeyId });
  const names = [];
  const paging = { client: kms, pageSize: 1 };
  for await (const page of paginateListAliases(paging, { KeyId: other.KeyId })) {
    names.push(...page.Aliases.map((alias) => alias.AliasName));
  }
  assert.deepEqual(names, ["alias/javascript"]);
  await send(DeleteAliasCommand, { AliasName: "alias/javascript" });
  await refused(
    send(DescribeKeyCommand, { KeyId: "alias/javascript" }), "NotFoundException",
    `Alias arn:aws:kms:us-east-1:${account}:alias/javascript is not found.`,
  );
}

async function states(key) {
  const { KeyId } = key;
  const encrypt = () => send(EncryptCommand, { KeyId, Plaintext: text });
  await send(DisableKeyCommand, { KeyId });
  await refused(encrypt(), "DisabledException", `${key.Arn} is disabled.`);
  await send(EnableKeyCommand, { KeyId });
  await encrypt();
  const pending = await send(ScheduleKeyDeletionCommand, { KeyId, PendingWindowInDays: 7 });
  assert.deepEqual([pending.KeyId, pending.KeyState], [key.Arn, "PendingDeletion"]);
  assert.ok(Math.abs(pending.DeletionDate - Date.now() - 7 * 86_400_000) < 60_000);
  await refused(encrypt(), "KMSInvalidStateException", `${key.Arn} is pending deletion.`);
  assert.equal((await send(CancelKeyDeletionCommand, { KeyId })).KeyId, key.Arn);
  const { KeyMetadata } = await send(DescribeKeyCommand, { KeyId });
  assert.deepEqual([KeyMetadata.KeyState, KeyMetadata.DeletionDate], ["Disabled", undefined]);
  await send(EnableKeyCommand, { KeyId });
  await encrypt();
}

async function paging(made) {
  const seen = [];
  for await (const page of paginateListKeys({ client: kms, pageSize: 2 }, {})) {
    assert.ok(page.Keys.length <= 2);
    seen.push(...page.Keys.map((key) => key.KeyId));
  }
  assert.deepEqual(seen.sort(), made.map((key) => key.KeyId).sort());
}

const create = async (input) => (await send(CreateKeyCommand, input)).KeyMetadata;

await whoAmI();
const key = await create({
  Description: "ключ \u{1f511}", Tags: [{ TagKey: "a", TagValue: "1" }],
});
const other = await create({});
const third = await create({});
await send(CreateAliasCommand, { AliasName: "alias/javascript", TargetKeyId: key.KeyId });
await metadata(key);
await encryption(key, other);
await dataKeys(key);
await management(key, other);
await states(key);
await paging([key, other, third]);
await otherKinds({ kms, send, refused });
await relations({ account, kms, send, refused });
console.log("the life of a key is as it should be");
