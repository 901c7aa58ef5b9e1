#!/usr/bin/env bash
# From nothing to production, through the loss of the machine, to the same keys on another one.
#
#     ./journey.sh
#
# Works in a temporary directory, on ports of this machine that are free. Needs the server's release
# build (or its path in STRONGROOM_BIN), the aws command (version 1 or 2), openssl.
set -euo pipefail
umask 077
source "$(dirname "$0")/words.sh"

# Directories stand for machines: two servers, and one that is neither, where operators keep what
# must not be lost together with the first.
mkdir first second elsewhere answers
echo "attack at dawn" > plain

say "Birth: a root key under two seals, an account, its administrator"
openssl rand -base64 24 > elsewhere/passphrase
strongroom init --data-dir first/data --seal shares:3-of-5 --seal passphrase \
    --passphrase-file elsewhere/passphrase > answers/init
# Five people would write down a share each, from a terminal, and nobody would have all of them.
sed -n 's/^ *\(SRS1-.*\)$/\1/p' answers/init | split --lines=1 --numeric-suffixes=1 \
    --suffix-length=1 - elsewhere/share-
grep '^AWS_' answers/init > elsewhere/administrator
sed -e 's/^  SRS1-.*/  (a share)/' -e 's/^\(AWS_SECRET_ACCESS_KEY\)=.*/\1=(a secret)/' answers/init
shred --remove answers/init

say "A certificate, of an authority that clients trust"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
    -subj "/CN=An authority for an example" -keyout elsewhere/ca.key -out elsewhere/ca.pem \
    2> answers/openssl
for machine in first second; do
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -subj "/CN=localhost" -keyout $machine/server.key -out answers/request 2> answers/openssl
    openssl x509 -req -in answers/request -days 90 -CA elsewhere/ca.pem -CAkey elsewhere/ca.key \
        -CAcreateserial -extfile <(echo "subjectAltName=DNS:localhost,IP:127.0.0.1") \
        -out $machine/server.pem 2> answers/openssl
done
openssl x509 -in first/server.pem -noout -subject -enddate

say "The configuration, checked"
for machine in first second; do
    cat > $machine/strongroom.toml << 'TOML'
data_dir = "data"

[listen]
# Port 0 picks a free one.
addresses = ["127.0.0.1:0"]

[tls]
certificate = "server.pem"
private_key = "server.key"

[admin]
socket = "admin.sock"

[operations]
listen = ""

[audit]
# Five minutes unless set: this example can't wait for so long.
digest_interval = "1s"

# In production a receiver of syslog or HTTP. Here the standard output is, which goes elsewhere.
[audit.stdout]
enabled = true

[log]
format = "text"
TOML
    strongroom config check --config $machine/strongroom.toml > answers/check
done
grep 'strongroom.toml' answers/check

say "Serve: sealed"
serve first
refused "state: sealed" strongroom status
refused ServiceUnavailableException encrypt

say "Unseal with the passphrase"
timed "unsealing" strongroom unseal --passphrase-file elsewhere/passphrase
strongroom status
strongroom seal list

say "The public key of the audit log, kept elsewhere"
strongroom audit public-key --data-dir first/data | tee elsewhere/audit-keys.pem

say "An administrator of keys, and a role for the workload"
as_administrator
aws sts get-caller-identity --query Arn
aws iam create-user --user-name keeper --query User.Arn
aws iam put-user-policy --user-name keeper --policy-name administer-keys --policy-document '{
  "Version": "2012-10-17",
  "Statement": {
    "Effect": "Allow",
    "Action": ["kms:Create*", "kms:Describe*", "kms:Enable*", "kms:List*", "kms:Put*",
               "kms:Update*", "kms:Disable*", "kms:Get*", "kms:TagResource",
               "kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion"],
    "Resource": "*"
  }
}'
aws iam create-access-key --user-name keeper > elsewhere/keeper
as_user_with elsewhere/keeper
key=$(aws kms create-key --description "customers' records" --query KeyMetadata.Arn --output text)
aws kms create-alias --alias-name alias/records --target-key-id "$key"
aws kms enable-key-rotation --key-id "$key"
# Who administers keys doesn't use them.
refused AccessDeniedException encrypt

as_administrator
application=$(aws iam create-user --user-name application --query User.Arn --output text)
aws iam create-access-key --user-name application > elsewhere/application
aws iam create-role --role-name workload --query Role.Arn --assume-role-policy-document '{
  "Version": "2012-10-17",
  "Statement": {
    "Effect": "Allow", "Principal": {"AWS": "'"$application"'"}, "Action": "sts:AssumeRole"
  }
}'
aws iam put-role-policy --role-name workload --policy-name use-the-key --policy-document '{
  "Version": "2012-10-17",
  "Statement": {
    "Effect": "Allow",
    "Action": ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"],
    "Resource": "'"$key"'"
  }
}'

say "The workload encrypts"
as_workload
aws sts get-caller-identity --query Arn
encrypt > sealed
ls -l sealed

say "A backup, which is verified with shares before anybody relies on it"
timed "backing up" strongroom backup create elsewhere/monday.backup
timed "verifying" strongroom backup verify elsewhere/monday.backup "${three_shares[@]}"

say "Work goes on after the backup"
encrypt > sealed-later

say "The audit log is whole; how far it goes is noted elsewhere"
sleep 2
strongroom audit verify --data-dir first/data --public-key elsewhere/audit-keys.pem |
    tee answers/verified

say "The machine is lost"
kill -KILL "$server"
{ wait "$server" || true; } 2> answers/killed
server=
rm -rf first
lost=$(milliseconds)
refused "Could not connect" decrypt sealed

say "Restore elsewhere, with three of five shares"
timed "restoring" strongroom backup restore elsewhere/monday.backup --data-dir second/data \
    "${three_shares[@]}"
serve second

say "Unseal with shares, which their holders give one by one"
for share in 2 3 5; do
    strongroom unseal --share-file elsewhere/share-$share
done

say "The workload decrypts what it encrypted before the backup, and after it"
as_workload
for blob in sealed sealed-later; do
    decrypt $blob > opened
    cmp opened plain
    echo "$blob: $(< opened)"
done
echo "from the loss to here: $(($(milliseconds) - lost)) ms"

say "Everything else is there too"
as_user_with elsewhere/keeper
aws kms list-aliases --key-id "$key" --query 'Aliases[].AliasName' --output text
aws kms get-key-rotation-status --key-id "$key" --query KeyRotationEnabled
refused AccessDeniedException encrypt

say "The audit log is whole, by the public key that was kept elsewhere"
sleep 2
strongroom audit verify --data-dir second/data --public-key elsewhere/audit-keys.pem
strongroom audit search --data-dir second/data --event-name Decrypt --event-name Unseal

say "What the first machine recorded after the backup stands where records were sent"
after=$(grep --count '"eventName":"Encrypt"' elsewhere/first.records)
restored=$(strongroom audit search --data-dir second/data --event-name Encrypt --json \
    --until "$(date --utc --date=@$((lost / 1000)) +%Y-%m-%dT%H:%M:%SZ)" | wc --lines)
echo "records of Encrypt: $after were sent, $restored were in the backup"

say "Who alters the log is found out"
cp -r second/data altered
sed -i '0,/"eventName":"CreateKey"/s//"eventName":"CreateFoo"/' altered/audit.jsonl
refused "was altered" strongroom audit verify --data-dir altered \
    --public-key elsewhere/audit-keys.pem

say "done"
