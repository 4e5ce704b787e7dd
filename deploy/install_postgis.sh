#!/bin/sh
# Puts Debian's PostgreSQL with PostGIS in place, as a peer for `make bench` and for nothing else: the embedded PostgreSQL
# has no PostGIS. Does nothing when it is there. No server is started or left running: the bench makes its own.
# The argument is the folder to look in; only tests give another than /usr.
set -eu
. "${0%"${0##*/}"}./debian.sh"

for control in "${1:-/usr}"/share/postgresql/*/extension/postgis.control; do
    [ ! -e "$control" ] || exit 0
done

need_apt install_postgis "PostgreSQL with PostGIS" postgresql postgresql-postgis
# The package would make a cluster of its own and start it with the machine.
no_cluster=/etc/postgresql-common/createcluster.d/waypost-bench.conf
trap 'rm -f "$no_cluster"' EXIT
mkdir -p "$(dirname "$no_cluster")"
echo "create_main_cluster = false" >"$no_cluster"
apt_install install_postgis postgresql postgresql-postgis
