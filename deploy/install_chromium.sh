#!/bin/sh
# Puts Debian's Chromium, its driver and one font with Chinese characters in place for the tests of the store's page.
# Does nothing when they are there. Selenium would otherwise download a browser of its own choice.
set -eu

missing=""
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v chromedriver >/dev/null 2>&1 || missing="$missing chromium-driver"
# Without a CJK font the page's Chinese would be tested (and kept on the screenshots) as empty boxes.
if ! command -v fc-list >/dev/null 2>&1 || [ -z "$(fc-list :lang=zh-cn family 2>/dev/null)" ]; then
    missing="$missing fontconfig fonts-wqy-microhei"
fi
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "install_chromium: missing:$missing; this machine has no apt-get, so install Chromium and chromedriver with its own package manager" >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "install_chromium: missing:$missing; run once as root: sudo sh deploy/install_chromium.sh" >&2
    exit 1
fi

echo "install_chromium: installing$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
# The lock may be held by another installation; wait for it instead of failing.
# shellcheck disable=SC2086 # one word per package
if ! { apt-get -o DPkg::Lock::Timeout=120 update &&
       apt-get -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "install_chromium: apt-get failed (its last lines are above)" >&2
    exit 1
fi
