#!/bin/sh
# Puts Debian's Chromium, its driver and one font with Chinese characters in place for the tests of the store's page.
# Does nothing when they are there. Selenium would otherwise download a browser of its own choice.
set -eu
. "${0%"${0##*/}"}./debian.sh"

missing=""
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v chromedriver >/dev/null 2>&1 || missing="$missing chromium-driver"
# Without a CJK font the page's Chinese would be tested (and kept on the screenshots) as empty boxes.
if ! command -v fc-list >/dev/null 2>&1 || [ -z "$(fc-list :lang=zh-cn family 2>/dev/null)" ]; then
    missing="$missing fontconfig fonts-wqy-microhei"
fi
[ -n "$missing" ] || exit 0

# shellcheck disable=SC2086 # one word per package
need_apt install_chromium "Chromium and chromedriver" $missing
# shellcheck disable=SC2086 # one word per package
apt_install install_chromium $missing
