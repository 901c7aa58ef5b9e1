# The words that journey.sh is written in: servers, who asks, what is refused, times. Sourced.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
target=${CARGO_TARGET_DIR:-$here/../../target}
binary=${STRONGROOM_BIN:-$target/release/strongroom}
[[ -x $binary ]] || {
    echo "no server at $binary: cargo build --release -p strongroom" >&2
    exit 1
}

work=$(mktemp --directory)
server=
cleanup() {
    if [[ -n $server ]]; then
        kill "$server" 2> /dev/null || true
        wait "$server" 2> /dev/null || true
    fi
    rm -rf "$work"
}
trap cleanup EXIT
cd "$work"

# Nothing of the user's own settings.
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_ENDPOINT_URL_KMS AWS_ENDPOINT_URL_IAM AWS_ENDPOINT_URL_STS
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
export AWS_DEFAULT_REGION=eu-central-1 AWS_REGION=eu-central-1 AWS_DEFAULT_OUTPUT=json
export AWS_PAGER= AWS_EC2_METADATA_DISABLED=true AWS_MAX_ATTEMPTS=1
export AWS_CA_BUNDLE=$work/elsewhere/ca.pem
# The workload gives no credentials before there are any.
export AWS_ACCESS_KEY_ID=nobody AWS_SECRET_ACCESS_KEY=nothing

# Three of the five holders, whichever are at hand.
three_shares=(--share-file elsewhere/share-1 --share-file elsewhere/share-3
    --share-file elsewhere/share-4)

strongroom() { "$binary" "$@"; }

# Says what comes next.
say() { printf '\n== %s\n' "$*"; }

milliseconds() { date +%s%3N; }

# Runs a command and tells how long it took.
timed() {
    local what=$1 begun
    shift
    begun=$(milliseconds)
    "$@"
    echo "$what: $(($(milliseconds) - begun)) ms"
}

# Starts the server of a machine, and has the clients speak to it.
serve() {
    local begun port=
    # The commands' variable is the server's too, and goes before its file.
    unset STRONGROOM_ADMIN_SOCKET
    : > "$1/log"
    begun=$(milliseconds)
    "$binary" serve --config "$1/strongroom.toml" > "elsewhere/$1.records" 2>> "$1/log" &
    server=$!
    until port=$(sed -n 's/.*listening.*address=127\.0\.0\.1:\([0-9]*\).*/\1/p' "$1/log") &&
        [[ -n $port ]]; do
        if ! kill -0 "$server" 2> /dev/null || (($(milliseconds) - begun > 30000)); then
            cat "$1/log" >&2
            return 1
        fi
        sleep 0.02
    done
    echo "starting: $(($(milliseconds) - begun)) ms"
    cat "$1/log"
    export AWS_ENDPOINT_URL=https://localhost:$port
    export STRONGROOM_ADMIN_SOCKET=$work/$1/admin.sock
}

# Acts as the administrator that `strongroom init` made.
as_administrator() {
    unset AWS_SESSION_TOKEN
    set -a
    source elsewhere/administrator
    set +a
}

# Acts as whom an answer of create-access-key or assume-role tells, read from that file.
as_user_with() {
    local field
    field() { sed -n 's/^.*"'"$1"'": "\([^"]*\)".*$/\1/p' "$2"; }
    AWS_ACCESS_KEY_ID=$(field AccessKeyId "$1")
    AWS_SECRET_ACCESS_KEY=$(field SecretAccessKey "$1")
    AWS_SESSION_TOKEN=$(field SessionToken "$1")
    export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
    [[ -n $AWS_SESSION_TOKEN ]] || unset AWS_SESSION_TOKEN
}

# Acts as the workload: its user may do nothing but take on the role.
as_workload() {
    as_user_with elsewhere/application
    aws sts assume-role --role-arn arn:aws:iam::111122223333:role/workload \
        --role-session-name journey > answers/session
    as_user_with answers/session
}

encrypt() {
    aws kms encrypt --key-id alias/records --plaintext fileb://plain \
        --encryption-context purpose=journey --query CiphertextBlob --output text |
        base64 --decode
}

decrypt() {
    aws kms decrypt --ciphertext-blob "fileb://$1" --encryption-context purpose=journey \
        --query Plaintext --output text | base64 --decode
}

# Runs a command that must fail for that reason, and shows in which words it did.
refused() {
    local reason=$1
    shift
    if "$@" > answers/refusal 2>&1; then
        echo "this should have been refused: $*" >&2
        exit 1
    fi
    grep --quiet "$reason" answers/refusal || { cat answers/refusal >&2; exit 1; }
    sed '/^$/d; s/^/refused: /' answers/refusal
}
