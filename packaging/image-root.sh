#!/bin/sh
# Makes the whole file system of a container image in a directory: the binary, the shared libraries
# that it names, the roots of TLS, a user, and the directories it writes to. Nothing else is in it,
# no shell either.
set -eu

if [ $# -ne 2 ]; then
    echo "usage: $0 BINARY DIRECTORY" >&2
    exit 2
fi
binary=$1
root=$2
roots=/etc/ssl/certs/ca-certificates.crt

mkdir -p "$root/usr/bin" "$root/etc/ssl/certs" "$root/etc/strongroom" "$root/tmp" \
    "$root/var/lib/strongroom" "$root/run/strongroom"
cp "$binary" "$root/usr/bin/strongroom"
# The libraries, the loader among them, each at the place where the binary looks for it.
ldd "$binary" | grep -o '/[^ ]*' | while read -r library; do
    mkdir -p "$root${library%/*}"
    cp -L "$library" "$root$library"
done
cp -L "$roots" "$root$roots"
echo 'strongroom:x:10001:10001::/var/lib/strongroom:/nonexistent' >"$root/etc/passwd"
# A container's process is in no second group, so that the operators' one is the server's own.
printf 'strongroom:x:10001:\nstrongroom-operators:x:10001:\n' >"$root/etc/group"
chmod 1777 "$root/tmp"
chmod 0700 "$root/var/lib/strongroom"
chmod 0755 "$root/run/strongroom"
if [ "$(id -u)" -eq 0 ]; then
    chown 10001:10001 "$root/var/lib/strongroom" "$root/run/strongroom"
fi
