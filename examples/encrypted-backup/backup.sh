#!/usr/bin/env bash
# Backs a folder up, encrypted under a data key that only the key service can open.
#
#     ./backup.sh FOLDER BACKUP KEY
#
# FOLDER is what to back up, BACKUP a directory to make, KEY the id, ARN or alias of a KMS key.
# The README says what the files in BACKUP are.
set -euo pipefail
umask 077

[[ $# -eq 3 ]] || { echo "usage: $0 FOLDER BACKUP KEY" >&2; exit 2; }
folder=$1 backup=$2 key=$3
mkdir "$backup"

# The encryption context is no secret. It is bound to everything that the service encrypts for
# this backup, and it stands in the audit record of every use of the key.
context="purpose=backup,made=$(date -u +%Y%m%dT%H%M%SZ)"
echo "$context" > "$backup/context"

# One data key, in two forms: as it is, for this run only, and wrapped, to be kept.
answer=$(aws kms generate-data-key --key-id "$key" --key-spec AES_256 \
    --encryption-context "$context" --query '[Plaintext, CiphertextBlob]' --output text)
data_key=${answer%%$'\t'*}
echo "${answer##*$'\t'}" > "$backup/data-key.wrapped"

# openssl reads the data key from file descriptor 3, which is a pipe: it stands in no file, and
# in no command line that others on this machine could list.
tar --create --directory "$folder" . |
    openssl enc -aes-256-ctr -pbkdf2 -pass fd:3 3< <(printf '%s' "$data_key") \
        > "$backup/folder.tar.enc"
unset answer data_key

# Encryption alone doesn't show whether somebody altered the result. So the service encrypts the
# hashes of these files as well: nobody without the key can make that of other hashes.
(cd "$backup" && sha256sum folder.tar.enc data-key.wrapped) |
    aws kms encrypt --key-id "$key" --plaintext fileb:///dev/stdin \
        --encryption-context "$context" --query CiphertextBlob --output text > "$backup/seal"

echo "backed up $folder in $backup"
