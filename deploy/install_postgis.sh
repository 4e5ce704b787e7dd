#!/bin/sh
# Puts Debian's PostgreSQL with PostGIS in place, as a peer for `make bench` and for nothing else: the embedded PostgreSQL
# has no PostGIS. Does nothing when it is there. No server is started or left running: the bench makes its own.
# The argument is the folder to look in; only tests give another than /usr.
set -eu

for control in "${1:-/usr}"/share/postgresql/*/extension/postgis.control; do
    [ ! -e "$control" ] || exit 0
done

if ! command -v apt-get >/dev/null 2>&1; then
    echo "install_postgis: this machine has no apt-get, so install PostgreSQL with PostGIS with its own package manager" >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "install_postgis: run once as root: sudo sh deploy/install_postgis.sh" >&2
    exit 1
fi

echo "install_postgis: installing postgresql-postgis"
log=$(mktemp)
# The package would make a cluster of its own and start it with the machine.
no_cluster=/etc/postgresql-common/createcluster.d/waypost-bench.conf
trap 'rm -f "$log" "$no_cluster"' EXIT
mkdir -p "$(dirname "$no_cluster")"
echo "create_main_cluster = false" >"$no_cluster"
export DEBIAN_FRONTEND=noninteractive
# The lock may be held by another installation; wait for it instead of failing.
if ! { apt-get -o DPkg::Lock::Timeout=120 update &&
       apt-get -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends postgresql postgresql-postgis; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "install_postgis: apt-get failed (its last lines are above)" >&2
    exit 1
fi
