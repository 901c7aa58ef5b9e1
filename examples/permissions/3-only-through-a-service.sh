#!/usr/bin/env bash
# A condition on kms:ViaService keeps direct calls out: the key serves requests that a service makes
# for the caller, and nothing else.
#
#     ./3-only-through-a-service.sh
source "$(dirname "$0")/environment.sh"

say "A user with every permission on keys"
as_root_of 111122223333
aws iam create-user --user-name carol --query User.Arn
aws iam create-access-key --user-name carol > answers/carol
cat > all-of-kms.json << 'JSON'
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}
JSON
aws iam put-user-policy --user-name carol --policy-name all-of-kms \
    --policy-document file://all-of-kms.json

say "A key that its policy keeps for requests through Amazon S3"
cat > key-policy.json << 'JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Administration",
      "Effect": "Allow",
      "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
      "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:Put*", "kms:ScheduleKeyDeletion"],
      "Resource": "*"
    },
    {
      "Sid": "Use through S3",
      "Effect": "Allow",
      "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
      "Action": ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"],
      "Resource": "*",
      "Condition": {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
    }
  ]
}
JSON
KEY=$(aws kms create-key --policy file://key-policy.json --query KeyMetadata.Arn --output text)

say "Carol sees the key, but a direct call uses no service: it is refused, root's too"
as_user_with answers/carol
aws kms describe-key --key-id "$KEY" --query KeyMetadata.KeyState
refused aws kms generate-data-key --key-id "$KEY" --key-spec AES_256
as_root_of 111122223333
refused aws kms generate-data-key --key-id "$KEY" --key-spec AES_256

say "done"
