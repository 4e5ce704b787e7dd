#!/bin/sh
# Puts Debian's libfaketime in place for the tests that run services on a wrong clock. Does nothing when it is there.
set -eu

for file in /usr/lib/*/faketime/libfaketimeMT.so.1 /usr/lib/faketime/libfaketimeMT.so.1 /usr/lib64/faketime/libfaketimeMT.so.1; do
    [ ! -e "$file" ] || exit 0
done

if ! command -v apt-get >/dev/null 2>&1; then
    echo "install_faketime: missing: libfaketime; this machine has no apt-get, so install libfaketime with its own package manager" >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "install_faketime: missing: libfaketime; run once as root: sudo sh deploy/install_faketime.sh" >&2
    exit 1
fi

echo "install_faketime: installing libfaketime"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
# The lock may be held by another installation; wait for it instead of failing.
if ! { apt-get -o DPkg::Lock::Timeout=120 update &&
       apt-get -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends libfaketime; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "install_faketime: apt-get failed (its last lines are above)" >&2
    exit 1
fi
