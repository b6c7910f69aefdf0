#!/bin/sh
# Install what build-wheels.sh gathered into an environment of its own, without network, ready to be read only.
# Usage: install-wheels.sh FOLDER_OF_WHEELS ENVIRONMENT [EXTRAS]: those that the wheels were gathered for, or fewer
# Another version goes into another folder: a server that runs goes on loading from its own.
set -eu

wheels=${1:?the folder that holds the wheels}
environment=${2:?the folder to install into}
extras=${3:-postgresql,redis}
if [ -e "$environment" ]; then
    echo "$environment is there already: install into a new folder, and switch to that" >&2
    exit 1
fi
python3 -m venv "$environment"
"$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --no-cache-dir \
    --find-links "$wheels" "mcp-authserver[$extras]"
"$environment/bin/python" -m pip uninstall --quiet --yes pip # what runs installs nothing
