#!/usr/bin/env bash
# The whole story in a temporary directory: a server, a key, a backup, a power cut, a restore, and
# four restores that must be refused.
#
#     ./demo.sh
#
# Needs the server's release build (or its path in STRONGROOM_BIN), the aws command, openssl, tar.
set -euo pipefail
umask 077

here=$(cd "$(dirname "$0")" && pwd)
target=${CARGO_TARGET_DIR:-$here/../../target}
strongroom=${STRONGROOM_BIN:-$target/release/strongroom}
[[ -x $strongroom ]] || {
    echo "no server at $strongroom: cargo build --release -p strongroom" >&2
    exit 1
}

scratch=$(mktemp --directory)
server=
cleanup() {
    if [[ -n $server ]]; then
        kill "$server" 2> /dev/null || true
    fi
    rm -rf "$scratch"
}
trap cleanup EXIT

# In dev mode, an access key id of 12 digits is the root user of that account.
export AWS_ACCESS_KEY_ID=111122223333 AWS_SECRET_ACCESS_KEY=any AWS_REGION=us-east-1
export AWS_DEFAULT_REGION=us-east-1 AWS_PAGER= AWS_EC2_METADATA_DISABLED=true
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_ENDPOINT_URL_KMS

start_server() {
    local waited=0
    : > "$scratch/stdout"
    "$strongroom" dev --listen 127.0.0.1:0 --data-dir "$scratch/data" \
        > "$scratch/stdout" 2> "$scratch/stderr" &
    server=$!
    until AWS_ENDPOINT_URL=$(sed -n 's/^ *endpoint: //p' "$scratch/stdout") &&
        [[ -n $AWS_ENDPOINT_URL ]]; do
        if ! kill -0 "$server" 2> /dev/null || ((waited++ > 300)); then
            cat "$scratch/stdout" "$scratch/stderr" >&2
            return 1
        fi
        sleep 0.1
    done
    export AWS_ENDPOINT_URL
}

# Runs a command that must fail and shows why it did.
refused() {
    local said
    if said=$("$@" 2>&1); then
        echo "this should have been refused: $*" >&2
        exit 1
    fi
    sed '/^$/d; s/^/    refused: /' <<< "$said"
}

step() { printf '\n== %s\n' "$1"; }

step "a server and a key"
start_server
key=$(aws kms create-key --description "nightly backups" --query KeyMetadata.KeyId --output text)
aws kms create-alias --alias-name alias/backups --target-key-id "$key"
echo "$key at $AWS_ENDPOINT_URL"

step "a folder"
mkdir -p "$scratch/folder/deep/er"
echo "the combination is 12-34-56" > "$scratch/folder/secret.txt"
head -c 5000000 /dev/urandom > "$scratch/folder/deep/random.bin"
: > "$scratch/folder/deep/er/empty"
ln -s ../secret.txt "$scratch/folder/deep/link"
chmod 750 "$scratch/folder/deep/er"
ls -lR "$scratch/folder"

step "its backup"
"$here/backup.sh" "$scratch/folder" "$scratch/backup" alias/backups
ls -l "$scratch/backup"
if grep --recursive --quiet "combination" "$scratch/backup"; then
    echo "the backup can be read without the key" >&2
    exit 1
fi

step "a power cut: the server is killed with SIGKILL and started again"
kill -KILL "$server"
wait "$server" 2> /dev/null || true
server=
start_server

step "the restored folder is the same"
"$here/restore.sh" "$scratch/backup" "$scratch/restored" alias/backups
diff --recursive --no-dereference "$scratch/folder" "$scratch/restored"
[[ $(stat --format %a "$scratch/restored/deep/er") == 750 ]]

step "one flipped bit in the data is refused"
cp -r "$scratch/backup" "$scratch/altered"
byte=$(od --address-radix=n --format=u1 --skip-bytes=1000 --read-bytes=1 \
    "$scratch/altered/folder.tar.enc")
printf "\\x$(printf %x $((byte ^ 1)))" |
    dd of="$scratch/altered/folder.tar.enc" bs=1 seek=1000 conv=notrunc status=none
refused "$here/restore.sh" "$scratch/altered" "$scratch/never" alias/backups

step "another context is refused"
cp -r "$scratch/backup" "$scratch/elsewhere"
echo "purpose=backup,made=20000101T000000Z" > "$scratch/elsewhere/context"
refused "$here/restore.sh" "$scratch/elsewhere" "$scratch/never" alias/backups

step "a backup made with another key is refused"
other=$(aws kms create-key --query KeyMetadata.KeyId --output text)
refused "$here/restore.sh" "$scratch/backup" "$scratch/never" "$other"

step "a disabled key is refused"
aws kms disable-key --key-id "$key"
refused "$here/restore.sh" "$scratch/backup" "$scratch/never" alias/backups
[[ -z $(compgen -G "$scratch/never*" || true) ]]

step "enabled again, it restores"
aws kms enable-key --key-id "$key"
"$here/restore.sh" "$scratch/backup" "$scratch/again" alias/backups
diff --recursive --no-dereference "$scratch/folder" "$scratch/again"

step "done"
