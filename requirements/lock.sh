#!/bin/sh
# Write the locks from pyproject.toml: with hashes, without any package registry's address.
# Give uv's own options to change one package only, e.g.: requirements/lock.sh -P jupyterhub
set -eu
cd "$(dirname "$0")/.."

lock() {
    out=$1; shift
    "${UV:-uv}" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --overrides requirements/overrides.txt \
        --no-emit-index-url --no-emit-find-links --custom-compile-command "requirements/lock.sh" \
        --output-file "requirements/$out" "$@"
}

lock hub.txt pyproject.toml --extra hub "$@"
lock base.txt pyproject.toml --extra base --constraint requirements/hub.txt "$@"
lock manager.txt pyproject.toml --constraint requirements/hub.txt "$@"
lock dev.txt --group dev --constraint requirements/hub.txt "$@"
lock docs.txt --group docs --constraint requirements/hub.txt "$@"
lock kernel.txt --group kernel --constraint requirements/hub.txt "$@"
lock setup.txt --group setup "$@"
lock node.txt --group node "$@"
(cd requirements/proxy && npm install --package-lock-only --silent)
