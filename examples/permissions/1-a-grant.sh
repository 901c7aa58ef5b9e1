#!/usr/bin/env bash
# A user who may do nothing is given one operation on one key by a grant, and loses it again.
#
#     ./1-a-grant.sh
source "$(dirname "$0")/environment.sh"

say "Root makes a key and encrypts"
as_root_of 111122223333
KEY=$(aws kms create-key --query KeyMetadata.Arn --output text)
aws kms encrypt --key-id "$KEY" --plaintext fileb://plain.txt --query EncryptionAlgorithm

say "Root makes a user with an access key"
USER=$(aws iam create-user --user-name alice --query User.Arn --output text)
aws iam create-access-key --user-name alice > answers/alice

say "Alice may not encrypt"
as_user_with answers/alice
aws sts get-caller-identity --query Arn
refused aws kms encrypt --key-id "$KEY" --plaintext fileb://plain.txt

say "Root grants her Encrypt"
as_root_of 111122223333
aws kms create-grant --key-id "$KEY" --grantee-principal "$USER" --operations Encrypt \
    > answers/grant
TOKEN=$(sed -n 's/^.*"GrantToken": "\([^"]*\)".*$/\1/p' answers/grant)
GRANT=$(sed -n 's/^.*"GrantId": "\([^"]*\)".*$/\1/p' answers/grant)

say "With the grant token, and without it, she may; Decrypt wasn't granted"
as_user_with answers/alice
aws kms encrypt --key-id "$KEY" --plaintext fileb://plain.txt --grant-tokens "$TOKEN" \
    --query CiphertextBlob --output text | base64 -d > sealed
aws kms encrypt --key-id "$KEY" --plaintext fileb://plain.txt --query EncryptionAlgorithm
refused aws kms decrypt --ciphertext-blob fileb://sealed

say "Root looks at the grant, and revokes it"
as_root_of 111122223333
aws kms list-grants --key-id "$KEY" --query 'Grants[].[GranteePrincipal,Operations]'
aws kms revoke-grant --key-id "$KEY" --grant-id "$GRANT"

say "Alice is refused again, token or not"
as_user_with answers/alice
refused aws kms encrypt --key-id "$KEY" --plaintext fileb://plain.txt --grant-tokens "$TOKEN"

say "done"
