"""An Ethereum signer of ethers on a secp256k1 key: runs javascript/ethereum.mjs under node."""

import node


def test_a_signer(server, account, kms):
    key = kms.create_key(KeySpec="ECC_SECG_P256K1", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    said = node.run("ethereum.mjs", server.environment(account), key["KeyId"])
    assert said == "everything signed recovers to the key's address\n"
