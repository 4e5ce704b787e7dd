#!/bin/sh
# Puts Debian's libfaketime in place for the tests that run services on a wrong clock. Does nothing when it is there.
# The argument is the folder to look in; only tests give another than /usr.
set -eu
. "${0%"${0##*/}"}./debian.sh"

for file in "${1:-/usr}"/lib/*/faketime/libfaketimeMT.so.1 "${1:-/usr}"/lib*/faketime/libfaketimeMT.so.1; do
    [ ! -e "$file" ] || exit 0
done

need_apt install_faketime libfaketime libfaketime
apt_install install_faketime libfaketime
