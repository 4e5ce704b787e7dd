#!/usr/bin/env bash
# Write requirements.lock from pyproject.toml: one hashed lock for every platform, without download addresses.
# With --check, only tell whether the lock still satisfies pyproject.toml (exit 1 when it does not).
set -euo pipefail
cd "$(dirname "$0")/.."

compile() {
    # The existing lock is uv's starting point: only what pyproject.toml asks for changes, not every version.
    .venv/bin/uv pip compile --quiet --universal --group dev --generate-hashes --no-annotate --no-header \
        --no-emit-index-url pyproject.toml --output-file "$1"
}

if [[ "${1:-}" == "--check" ]]; then
    fresh=$(mktemp --suffix=.lock)
    trap 'rm -f "$fresh"' EXIT
    cp requirements.lock "$fresh"
    compile "$fresh"
    if ! cmp --silent requirements.lock "$fresh"; then
        echo "requirements.lock is out of date: run deploy/lock.sh and commit the result" >&2
        exit 1
    fi
    echo "requirements.lock is in sync"
else
    compile requirements.lock
fi
