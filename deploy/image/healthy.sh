#!/bin/sh
# Whether the server in this container can serve; a database that is away is no reason to make another container.
# An issuer with a path has its health below that path.
exec python3 -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=4)' \
    "${1:-http://127.0.0.1:9000/health/serving}"
