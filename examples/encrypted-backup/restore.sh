#!/usr/bin/env bash
# Restores a backup that backup.sh has made, or refuses and leaves nothing behind.
#
#     ./restore.sh BACKUP FOLDER KEY
#
# FOLDER must not exist yet. KEY is the KMS key, by id, ARN or alias, that the backup was made with.
set -euo pipefail
umask 077

[[ $# -eq 3 ]] || { echo "usage: $0 BACKUP FOLDER KEY" >&2; exit 2; }
backup=$1 folder=$2 key=$3
[[ ! -e $folder ]] || { echo "$folder exists already" >&2; exit 1; }

context=$(<"$backup/context")
[[ $context =~ ^purpose=backup,made=[0-9TZ]+$ ]] || { echo "$backup: bad context" >&2; exit 1; }

# Prints, in base64, what the service finds in one of the files it has encrypted. The service could
# tell by itself which key that was; naming ours keeps out a backup made with somebody else's.
unwrap() {
    aws kms decrypt --key-id "$key" --ciphertext-blob fileb://<(base64 --decode "$backup/$1") \
        --encryption-context "$context" --query Plaintext --output text
}

# First the hashes: nothing is decrypted, let alone unpacked, before the files are known to be
# those that backup.sh wrote.
hashes=$(unwrap seal | base64 --decode)
(cd "$backup" && sha256sum --check --strict --quiet <<< "$hashes")

data_key=$(unwrap data-key.wrapped)
partial=$(mktemp --directory "$folder.partial.XXXXXX")
trap 'rm -rf "$partial"' EXIT
openssl enc -d -aes-256-ctr -pbkdf2 -pass fd:3 -in "$backup/folder.tar.enc" \
    3< <(printf '%s' "$data_key") |
    tar --extract --preserve-permissions --directory "$partial"
mv --no-target-directory "$partial" "$folder"

echo "restored $backup in $folder"
