#!/usr/bin/env bash
# A user of one account uses another account's key: the key's policy and the user's own must both
# allow it.
#
#     ./2-two-accounts.sh
source "$(dirname "$0")/environment.sh"

say "Account 444455556666 makes a key; account 111122223333 has a user"
as_root_of 444455556666
KEY=$(aws kms create-key --query KeyMetadata.Arn --output text)
as_root_of 111122223333
aws iam create-user --user-name bob --query User.Arn
aws iam create-access-key --user-name bob > answers/bob
as_user_with answers/bob
refused aws kms encrypt --key-id "$KEY" --plaintext fileb://plain.txt

say "Bob's own policy allows it: the key's still doesn't"
as_root_of 111122223333
cat > may-encrypt.json << JSON
{
  "Version": "2012-10-17",
  "Statement": [{"Effect": "Allow", "Action": ["kms:Encrypt", "kms:Decrypt"], "Resource": "$KEY"}]
}
JSON
aws iam put-user-policy --user-name bob --policy-name may-encrypt \
    --policy-document file://may-encrypt.json
as_user_with answers/bob
refused aws kms encrypt --key-id "$KEY" --plaintext fileb://plain.txt

say "The key's policy lets the other account in: both agree"
as_root_of 444455556666
cat > key-policy.json << 'JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Enable IAM User Permissions",
      "Effect": "Allow",
      "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
      "Action": "kms:*",
      "Resource": "*"
    },
    {
      "Sid": "Allow use by another account",
      "Effect": "Allow",
      "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
      "Action": ["kms:Encrypt", "kms:Decrypt"],
      "Resource": "*"
    }
  ]
}
JSON
aws kms put-key-policy --key-id "$KEY" --policy file://key-policy.json
as_user_with answers/bob
aws kms encrypt --key-id "$KEY" --plaintext fileb://plain.txt \
    --query CiphertextBlob --output text | base64 -d > sealed
aws kms decrypt --ciphertext-blob fileb://sealed --query Plaintext --output text | base64 -d

say "Without his own policy Bob is refused again: the key's alone doesn't do"
as_root_of 111122223333
aws iam delete-user-policy --user-name bob --policy-name may-encrypt
as_user_with answers/bob
refused aws kms decrypt --ciphertext-blob fileb://sealed

say "done"
