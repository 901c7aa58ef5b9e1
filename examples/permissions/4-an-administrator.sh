#!/usr/bin/env bash
# An administrator may manage a key and not use it; a workload, as a role, may use it and not manage
# it; and `strongroom policy` tells so.
#
#     ./4-an-administrator.sh
source "$(dirname "$0")/environment.sh"

say "An administrator, and a role for a workload"
as_root_of 111122223333
ADMIN=$(aws iam create-user --user-name dora --query User.Arn --output text)
aws iam create-access-key --user-name dora > answers/dora
cat > trust.json << JSON
{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": "$ADMIN"}, "Action": "sts:AssumeRole"}
  ]
}
JSON
ROLE=$(aws iam create-role --role-name workload --assume-role-policy-document file://trust.json \
    --query Role.Arn --output text)

say "A key whose policy parts the two"
cat > key-policy.json << JSON
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Administrators",
      "Effect": "Allow",
      "Principal": {"AWS": "$ADMIN"},
      "Action": [
        "kms:Create*", "kms:Describe*", "kms:Enable*", "kms:List*", "kms:Put*", "kms:Update*",
        "kms:Revoke*", "kms:Disable*", "kms:Get*", "kms:Delete*", "kms:TagResource",
        "kms:UntagResource", "kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion"
      ],
      "Resource": "*"
    },
    {
      "Sid": "Users",
      "Effect": "Allow",
      "Principal": {"AWS": "$ROLE"},
      "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"],
      "Resource": "*"
    }
  ]
}
JSON
KEY=$(aws kms create-key --policy file://key-policy.json --bypass-policy-lockout-safety-check \
    --query KeyMetadata.Arn --output text)

say "Dora manages the key, but cannot use it"
as_user_with answers/dora
aws kms disable-key --key-id "$KEY"
aws kms enable-key --key-id "$KEY"
aws kms update-key-description --key-id "$KEY" --description "kept by Dora"
refused aws kms encrypt --key-id "$KEY" --plaintext fileb://plain.txt

say "The workload uses it, but cannot manage it"
aws sts assume-role --role-arn "$ROLE" --role-session-name nightly > answers/workload
as_user_with answers/workload
aws sts get-caller-identity --query Arn
aws kms encrypt --key-id "$KEY" --plaintext fileb://plain.txt --query EncryptionAlgorithm
refused aws kms disable-key --key-id "$KEY"

say "Root isn't in the policy: it can do neither"
as_root_of 111122223333
refused aws kms describe-key --key-id "$KEY"
refused aws kms encrypt --key-id "$KEY" --plaintext fileb://plain.txt

say "Who can use the key, and why can't Dora?"
"$strongroom" policy who-can "$KEY" --data-dir data
"$strongroom" policy explain --data-dir data --principal "$ADMIN" --action kms:Encrypt \
    --resource "$KEY" || true

say "done"
