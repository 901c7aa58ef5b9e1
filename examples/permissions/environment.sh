# What the walk-throughs share: a server of their own, and a few words for the shell. Sourced.
#
# Needs the server's release build (or its path in STRONGROOM_BIN), and the aws command.
set -euo pipefail
umask 077

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
target=${CARGO_TARGET_DIR:-$here/../../target}
strongroom=${STRONGROOM_BIN:-$target/release/strongroom}
[[ -x $strongroom ]] || {
    echo "no server at $strongroom: cargo build --release -p strongroom" >&2
    exit 1
}

work=$(mktemp -d)
mkdir "$work/answers"
"$strongroom" dev --listen 127.0.0.1:0 --data-dir "$work/data" > "$work/server.log" &
server=$!
trap 'kill $server 2> /dev/null || true; wait $server 2> /dev/null || true; rm -rf "$work"' EXIT
for _ in $(seq 100); do
    endpoint=$(sed -n 's/^endpoint: //p' "$work/server.log")
    [[ -n $endpoint ]] && break
    sleep 0.1
done
export AWS_ENDPOINT_URL=$endpoint AWS_DEFAULT_REGION=us-east-1 AWS_DEFAULT_OUTPUT=json
export AWS_PAGER="" AWS_EC2_METADATA_DISABLED=true
cd "$work"
echo "attack at dawn" > plain.txt

# Says what comes next.
say() { echo; echo "== $*"; }

# Acts as the root user of that account: in dev mode its id is its access key, and any secret does.
as_root_of() {
    export AWS_ACCESS_KEY_ID=$1 AWS_SECRET_ACCESS_KEY=any
    unset AWS_SESSION_TOKEN
}

# Acts as whom an answer of create-access-key or assume-role tells, read from that file.
as_user_with() {
    local words
    local names='AccessKeyId\|SecretAccessKey\|SessionToken'
    words=$(sed -n 's/^.*"\('"$names"'\)": "\([^"]*\)".*$/\1 \2/p' "$1")
    AWS_ACCESS_KEY_ID=$(sed -n 's/^AccessKeyId //p' <<< "$words")
    AWS_SECRET_ACCESS_KEY=$(sed -n 's/^SecretAccessKey //p' <<< "$words")
    AWS_SESSION_TOKEN=$(sed -n 's/^SessionToken //p' <<< "$words")
    export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
    [[ -n $AWS_SESSION_TOKEN ]] || unset AWS_SESSION_TOKEN
}

# Runs a command that must be refused, and shows in which words.
refused() {
    if "$@" > answers/unexpected 2> answers/refusal; then
        echo "this should have been refused: $*" >&2
        exit 1
    fi
    grep -q AccessDenied answers/refusal || { cat answers/refusal >&2; exit 1; }
    echo "refused: $(tr -s '\n ' ' ' < answers/refusal)"
}
