#!/bin/sh
# Renders the documentation into doc/html; a warning is an error. Further arguments go to
# sphinx-build, e.g.: doc/src/make_html.sh -E
set -eu
cd "$(dirname "$0")"

sphinx=../../.venv/bin/sphinx-build
[ -x "$sphinx" ] || sphinx=$(command -v sphinx-build) || {
    echo "Error: there is no sphinx-build." >&2
    echo "Run 'make setup' in the repository's first folder." >&2
    exit 1
}
exec "$sphinx" -W --keep-going -q -b html "$@" . ../html
