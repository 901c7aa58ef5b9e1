// Encrypts or decrypts one file with the AWS Encryption SDK for JavaScript. Its one argument is a
// JSON document, which envelope.py writes: the action, the keyring, the algorithm suite, the
// encryption context, source and target. It prints the context found, or the error met.

import { readFileSync, writeFileSync } from "node:fs";
import {
  CommitmentPolicy, KMS, KmsKeyringNode, buildAwsKmsMrkAwareDiscoveryMultiKeyringNode,
  buildAwsKmsMrkAwareStrictMultiKeyringNode, buildClient, getClient, limitRegions,
} from "@aws-crypto/client-node";

const asked = JSON.parse(process.argv[2]);
const { encrypt, decrypt } = buildClient(
  asked.committing
    ? CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
    : CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT,
);
const clientProvider = getClient(KMS, { maxAttempts: 1 });

function keyring({ generator, keys, regions, account, multiRegion }) {
  if (generator !== undefined) {
    const named = { clientProvider, generatorKeyId: generator };
    return multiRegion
      ? buildAwsKmsMrkAwareStrictMultiKeyringNode({ ...named, keyIds: keys })
      : new KmsKeyringNode({ ...named, keyIds: keys });
  }
  const discoveryFilter = account ? { accountIDs: [account], partition: "aws" } : undefined;
  if (multiRegion) {
    return buildAwsKmsMrkAwareDiscoveryMultiKeyringNode({
      clientProvider, regions, discoveryFilter,
    });
  }
  return new KmsKeyringNode({
    clientProvider: limitRegions(regions, clientProvider), discovery: true, discoveryFilter,
  });
}

const options = { encryptionContext: asked.context, suiteId: asked.suite };

try {
  const source = readFileSync(asked.source);
  const made = asked.action === "encrypt"
    ? await encrypt(keyring(asked.keyring), source, options)
    : await decrypt(keyring(asked.keyring), source);
  writeFileSync(asked.target, made.result ?? made.plaintext);
  console.log(JSON.stringify({ context: made.messageHeader.encryptionContext }));
} catch (error) {
  console.log(JSON.stringify({ error: String(error) }));
}
