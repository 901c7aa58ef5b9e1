// An Ethereum signer whose private key is a KMS key, as an ethers AbstractSigner: what it signs
// must recover to the address of the key's public half. test_ethereum.py starts it with the id of
// a key of the spec ECC_SECG_P256K1; the endpoint and credentials come from the environment.

import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import {
  GetPublicKeyCommand, KMSClient, SignCommand, VerifyCommand,
} from "@aws-sdk/client-kms";
import {
  AbstractSigner, Signature, Transaction, TypedDataEncoder, computeAddress, concat, getBytes,
  hashMessage, hexlify, recoverAddress, toBeHex, verifyMessage, verifyTypedData,
} from "ethers";

// The order of the curve: SEC 2, section 2.4.1.
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const KEY_ID = process.argv[2];
const kms = new KMSClient({ maxAttempts: 1 });

class KmsSigner extends AbstractSigner {
  async getAddress() {
    const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId: KEY_ID }));
    const key = createPublicKey({ key: Buffer.from(PublicKey), format: "der", type: "spki" });
    const { crv, x, y } = key.export({ format: "jwk" });
    assert.equal(crv, "secp256k1");
    const [left, right] = [x, y].map((part) => Buffer.from(part, "base64url"));
    return computeAddress(concat(["0x04", left, right]));
  }

  async signDigest(digest) {
    const signed = await kms.send(new SignCommand({
      KeyId: KEY_ID, Message: getBytes(digest), MessageType: "DIGEST",
      SigningAlgorithm: "ECDSA_SHA_256",
    }));
    const [r, s] = integers(signed.Signature);
    // Of the two values that verify, Ethereum takes the lower (EIP-2).
    const low = s > ORDER / 2n ? ORDER - s : s;
    const address = await this.getAddress();
    const found = [27, 28]
      .map((v) => Signature.from({ r: toBeHex(r, 32), s: toBeHex(low, 32), v }))
      .find((signature) => recoverAddress(digest, signature) === address);
    assert.ok(found, "neither parity recovers to the key's address");
    return { signature: found, high: low !== s };
  }

  async signTransaction(request) {
    const transaction = Transaction.from(request);
    transaction.signature = (await this.signDigest(transaction.unsignedHash)).signature;
    return transaction.serialized;
  }

  async signMessage(message) {
    return (await this.signDigest(hashMessage(message))).signature.serialized;
  }

  async signTypedData(domain, types, value) {
    const digest = TypedDataEncoder.hash(domain, types, value);
    return (await this.signDigest(digest)).signature.serialized;
  }
}

// The two INTEGERs of a DER-encoded Ecdsa-Sig-Value, all of whose lengths are in short form.
function integers(der) {
  assert.deepEqual([der[0], der[1]], [0x30, der.length - 2]);
  const found = [];
  for (let at = 2; at < der.length;) {
    assert.equal(der[at], 0x02);
    const end = at + 2 + der[at + 1];
    found.push(BigInt(hexlify(der.slice(at + 2, end))));
    at = end;
  }
  assert.equal(found.length, 2);
  return found;
}

async function transactions(signer, address) {
  const common = { to: "0x".padEnd(42, "1"), value: 10n ** 18n, gasLimit: 21_000n, chainId: 1n };
  for (const kind of [
    { type: 0, gasPrice: 7n }, { type: 2, maxFeePerGas: 9n, maxPriorityFeePerGas: 1n },
  ]) {
    const signed = await signer.signTransaction({ ...common, ...kind, nonce: 3 });
    const read = Transaction.from(signed);
    assert.deepEqual([read.from, read.value, read.nonce], [address, common.value, 3]);
    read.value += 1n;
    const altered = recoverAddress(read.unsignedHash, read.signature);
    assert.notEqual(altered, address);
  }
}

async function messages(signer, address) {
  const signed = await signer.signMessage("attack at dawn");
  assert.equal(verifyMessage("attack at dawn", signed), address);
  assert.notEqual(verifyMessage("attack at dusk", signed), address);
}

async function typedData(signer, address) {
  const domain = { name: "Payroll", version: "1", chainId: 1 };
  const types = { Order: [{ name: "to", type: "address" }, { name: "amount", type: "uint256" }] };
  const order = { to: address, amount: 5n };
  const signed = await signer.signTypedData(domain, types, order);
  assert.equal(verifyTypedData(domain, types, order, signed), address);
  assert.notEqual(verifyTypedData(domain, types, { ...order, amount: 6n }, signed), address);
}

// Both halves of the range of s come from the service, and it verifies either.
async function halves(signer) {
  const seen = new Set();
  for (let count = 0; count < 64 && seen.size < 2; count += 1) {
    const digest = hashMessage(`message ${count}`);
    const { signature, high } = await signer.signDigest(digest);
    seen.add(high);
    const { SignatureValid } = await kms.send(new VerifyCommand({
      KeyId: KEY_ID, Message: getBytes(digest), MessageType: "DIGEST",
      SigningAlgorithm: "ECDSA_SHA_256", Signature: getBytes(der(signature)),
    }));
    assert.equal(SignatureValid, true);
  }
  assert.equal(seen.size, 2);
}

function der({ r, s }) {
  const parts = [r, s].map((value) => {
    const bytes = getBytes(toBeHex(BigInt(value)));
    const padded = bytes[0] & 0x80 ? concat(["0x00", bytes]) : hexlify(bytes);
    return concat(["0x02", toBeHex(padded.length / 2 - 1), padded]);
  });
  const body = concat(parts);
  return concat(["0x30", toBeHex(body.length / 2 - 1), body]);
}

const signer = new KmsSigner();
const address = await signer.getAddress();
await transactions(signer, address);
await messages(signer, address);
await typedData(signer, address);
await halves(signer);
console.log("everything signed recovers to the key's address");
