#!/usr/bin/env bash
# Builds both hosts of the panel from what `npm ci` has installed: JupyterLab's prebuilt
# extension into dist/lab, the bundle of the service's page into ../service/static/panel.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PWD/node_modules/.bin:$PATH

log=$(mktemp)
trap 'rm -f "$log"' EXIT
node scripts/catalogs.mjs
rm -rf lib dist ../service/static/panel
tsc -p tsconfig.json
node node_modules/@jupyter/builder/lib/build-labextension.js \
    --core-package-file node_modules/@jupyterlab/core-meta/core.package.json . >"$log" 2>&1 ||
    { cat "$log" >&2; exit 1; }
esbuild panel=src/page/index.tsx panel=style/page.css --outdir=../service/static/panel \
    --bundle --minify --format=esm --target=es2022 --jsx=automatic --legal-comments=linked \
    --define:process.env.NODE_ENV='"production"' --log-level=warning
