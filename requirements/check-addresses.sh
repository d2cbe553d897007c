#!/bin/sh
# Fails where a committed file names the host of a package registry or of a mirror of one:
# everyone uses their own. Where a dependency comes from is told by its name and its hash.
set -eu
cd "$(dirname "$0")/.."

found=$(git grep -nIE \
    -e '(pypi|pythonhosted|npmjs|yarnpkg|npmmirror|anaconda|conda-forge|prefix)[.](org|com|dev|io)\b' \
    -e '(deb|security|ftp|snapshot)[.]debian[.]org' \
    -e '(--|_|^ *)(extra-)?(index|find)[-_](url|links)[ =:]+[a-z]+://' \
    -- . || true)
if [ -n "$found" ]; then
    printf '%s\n' "$found" "Error: these lines name a package registry's host." >&2
    exit 1
fi
