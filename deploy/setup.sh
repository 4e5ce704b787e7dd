#!/usr/bin/env bash
# `make setup`: the environment in .venv, the key file of the local stack, and Kafka's jars. Needs Python 3.11+ with pip.
# Does nothing when what it was made from has not changed.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
# The interpreter, uv and waypost of the environment; an environment that is active elsewhere must not get in the way.
bin=$PWD/.venv/bin
export VIRTUAL_ENV=$PWD/.venv
unset PYTHONHOME PYTHONPATH

fail() {
    echo "setup: $1" >&2
    exit 1
}

made_from() {
    cat requirements.lock pyproject.toml deploy/setup-requirements.txt deploy/kafka/jgo.lock.toml deploy/setup.sh | sha256sum
}

prepared=.venv/prepared-from
if [[ -f $prepared && "$(<"$prepared")" == "$(made_from)" && -f .waypost/keys.json ]] &&
    compgen -G ".waypost/cache/*.aot" >/dev/null; then
    exit 0
fi

if [[ ! -x $bin/python ]]; then
    command -v "$python" >/dev/null ||
        fail "no $python here: install Python 3.11 or newer, or name it: make setup PYTHON=/path/to/python"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "$python ($("$python" -V 2>&1)) is too old, 3.11 is needed: make setup PYTHON=/path/to/python"
    "$python" -m venv .venv || fail "$python cannot make an environment: install its venv and pip (Debian: python3-venv)"
fi
# pip only brings uv in; uv then installs exactly the lock, every file checked by its hash, and removes what is not in it.
"$bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r deploy/setup-requirements.txt
echo "setup: installing the environment from requirements.lock"
"$bin/uv" pip sync --quiet --require-hashes requirements.lock
"$bin/uv" pip install --quiet --no-deps --editable .

mkdir -p -m 700 .waypost
[[ -f .waypost/keys.json ]] || "$bin/waypost" keys init
"$bin/python" -m deploy.kafka fetch
made_from >"$prepared"
