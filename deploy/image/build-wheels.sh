#!/bin/sh
# Build the wheels of this tree, and gather those that they need, in the versions that were tested.
# Usage: build-wheels.sh FOLDER [EXTRAS], in the root of the checkout. Needs the package index and nothing else.
set -eu

wheels=${1:?the folder that the wheels go to}
extras=${2:-postgresql,redis}
python3 -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir "$wheels" . ./middleware
python3 -m pip wheel --quiet --disable-pip-version-check --constraint constraints.txt --find-links "$wheels" \
    --wheel-dir "$wheels" "mcp-authserver[$extras]"
