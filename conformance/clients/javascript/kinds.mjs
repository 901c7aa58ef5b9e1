// The stations of a key's life that not every kind of key comes to: signatures, MACs, agreement,
// encapsulation, data key pairs, rotation. life.mjs goes through them with its client.

import assert from "node:assert/strict";
import {
  createHash, createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync, verify,
} from "node:crypto";
import {
  CreateKeyCommand, DecapsulateCommand, DecryptCommand, DeriveSharedSecretCommand,
  DisableKeyRotationCommand, EnableKeyRotationCommand, EncapsulateCommand, EncryptCommand,
  GenerateDataKeyPairCommand, GenerateDataKeyPairWithoutPlaintextCommand, GenerateMacCommand,
  GetKeyRotationStatusCommand, GetPublicKeyCommand, RotateKeyOnDemandCommand, SignCommand,
  VerifyCommand, VerifyMacCommand, paginateListKeyRotations,
} from "@aws-sdk/client-kms";

const text = new TextEncoder().encode("attack at dawn");
const spki = (key) => createPublicKey({ key: Buffer.from(key), format: "der", type: "spki" });
const same = (left, right) => assert.deepEqual(Buffer.from(left), Buffer.from(right));

// Goes through them all. `send` sends a command, `refused` expects an error of the service's.
export async function otherKinds({ kms, send, refused }) {
  const create = async (KeySpec, KeyUsage) =>
    (await send(CreateKeyCommand, { KeySpec, KeyUsage })).KeyMetadata;
  await signatures(await create("ECC_NIST_P256", "SIGN_VERIFY"), send, refused);
  await macs(await create("HMAC_256", "GENERATE_VERIFY_MAC"), send, refused);
  await agreement(await create("ECC_NIST_P256", "KEY_AGREEMENT"), send);
  await encapsulation(await create("ML_KEM_768", "ENCAPSULATE_DECAPSULATE"), send);
  await dataKeyPairs(await create(), send);
  await rotation(await create(), kms, send);
}

async function signatures(key, send, refused) {
  const { KeyId } = key;
  const found = await send(GetPublicKeyCommand, { KeyId });
  assert.deepEqual(
    [found.KeyId, found.KeySpec, found.KeyUsage, found.SigningAlgorithms],
    [key.Arn, "ECC_NIST_P256", "SIGN_VERIFY", ["ECDSA_SHA_256"]],
  );
  const named = { KeyId, SigningAlgorithm: "ECDSA_SHA_256" };
  const { Signature } = await send(SignCommand, { ...named, Message: text });
  assert.ok(verify("sha256", text, spki(found.PublicKey), Signature));
  const digest = createHash("sha256").update(text).digest();
  const ofDigest = { ...named, Message: digest, MessageType: "DIGEST" };
  assert.equal((await send(VerifyCommand, { ...ofDigest, Signature })).SignatureValid, true);
  await refused(
    send(VerifyCommand, { ...named, Message: digest, Signature }), "KMSInvalidSignatureException",
  );
}

async function macs({ KeyId }, send, refused) {
  const named = { KeyId, MacAlgorithm: "HMAC_SHA_256" };
  const { Mac } = await send(GenerateMacCommand, { ...named, Message: text });
  assert.equal(Mac.length, 32);
  assert.ok((await send(VerifyMacCommand, { ...named, Message: text, Mac })).MacValid);
  await refused(
    send(VerifyMacCommand, { ...named, Message: Mac, Mac }), "KMSInvalidMacException",
  );
}

async function agreement({ KeyId }, send) {
  const { PublicKey } = await send(GetPublicKeyCommand, { KeyId });
  const mine = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { SharedSecret } = await send(DeriveSharedSecretCommand, {
    KeyId, KeyAgreementAlgorithm: "ECDH",
    PublicKey: mine.publicKey.export({ format: "der", type: "spki" }),
  });
  same(SharedSecret, diffieHellman({ privateKey: mine.privateKey, publicKey: spki(PublicKey) }));
}

async function encapsulation({ KeyId }, send) {
  const named = { KeyId, EncapsulationAlgorithm: "ML_KEM" };
  const made = await send(EncapsulateCommand, named);
  const { SharedSecretCiphertextBlob } = made;
  const again = await send(DecapsulateCommand, { ...named, SharedSecretCiphertextBlob });
  assert.equal(made.SharedSecret.length, 32);
  same(again.SharedSecret, made.SharedSecret);
}

async function dataKeyPairs({ KeyId }, send) {
  const asked = { KeyId, KeyPairSpec: "ECC_NIST_P384" };
  const made = await send(GenerateDataKeyPairCommand, asked);
  const hidden = await send(GenerateDataKeyPairWithoutPlaintextCommand, asked);
  assert.ok(!("PrivateKeyPlaintext" in hidden));
  for (const pair of [made, hidden]) {
    const { Plaintext } = await send(DecryptCommand, {
      CiphertextBlob: pair.PrivateKeyCiphertextBlob,
    });
    if (pair === made) same(Plaintext, made.PrivateKeyPlaintext);
    const secret = createPrivateKey({ key: Buffer.from(Plaintext), format: "der", type: "pkcs8" });
    assert.ok(createPublicKey(secret).equals(spki(pair.PublicKey)));
  }
}

async function rotation(key, kms, send) {
  const { KeyId } = key;
  const before = await send(EncryptCommand, { KeyId, Plaintext: text });
  await send(EnableKeyRotationCommand, { KeyId, RotationPeriodInDays: 90 });
  const status = await send(GetKeyRotationStatusCommand, { KeyId });
  assert.deepEqual([status.KeyRotationEnabled, status.RotationPeriodInDays], [true, 90]);
  assert.ok(Math.abs(status.NextRotationDate - Date.now() - 90 * 86_400_000) < 60_000);
  await send(DisableKeyRotationCommand, { KeyId });
  const after = await send(GetKeyRotationStatusCommand, { KeyId });
  assert.equal(after.KeyRotationEnabled, false);
  assert.equal((await send(RotateKeyOnDemandCommand, { KeyId })).KeyId, key.Arn);
  const seen = [];
  const paging = { client: kms, pageSize: 1 };
  for await (const page of paginateListKeyRotations(paging, { KeyId })) {
    seen.push(...page.Rotations.map((one) => one.RotationType));
  }
  assert.deepEqual(seen, ["ON_DEMAND"]);
  const opened = await send(DecryptCommand, { CiphertextBlob: before.CiphertextBlob });
  same(opened.Plaintext, text);
  assert.equal(opened.KeyMaterialId, key.CurrentKeyMaterialId);
}
