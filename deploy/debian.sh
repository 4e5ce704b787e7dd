# Read by the scripts that put packages of Debian in place for tests and benchmarks.

# need_apt SCRIPT WHAT PACKAGE...: end with a word about what is missing where this machine, or this user, cannot install.
need_apt() {
    script=$1 what=$2
    shift 2
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "$script: missing: $*; this machine has no apt-get, so install $what with its own package manager" >&2
        exit 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        echo "$script: missing: $*; run once as root: sudo sh deploy/$script.sh" >&2
        exit 1
    fi
}

# apt_install SCRIPT PACKAGE...: install them; quiet unless that fails.
apt_install() {
    script=$1
    shift
    echo "$script: installing $*"
    log=$(mktemp)
    # The lock may be held by another installation; wait for it instead of failing.
    if ! { apt-get -o DPkg::Lock::Timeout=120 update &&
           DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends "$@"
         } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        echo "$script: apt-get failed (its last lines are above)" >&2
        exit 1
    fi
    rm -f "$log"
}
