#!/bin/sh
# Make the secrets of compose.yaml in deploy/secrets, unless they are there: none is ever replaced.
# As root, so that the server's user (uid 10001) may own what it alone is to read.
set -eu
umask 077

folder=$(dirname "$0")/secrets
mkdir -p "$folder"

random() {
    python3 -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("="))'
}

keep() {
    [ -e "$folder/$1" ] || printf '%s\n' "$2" >"$folder/$1"
}

keep postgresql-password "$(random)"
keep key-encryption-key "$(random)"
keep database-url "postgresql+psycopg://authserver:$(cat "$folder/postgresql-password")@postgresql/authserver"
if [ "$(id -u)" = 0 ]; then
    chown 10001:10001 "$folder/key-encryption-key" "$folder/database-url"
else
    echo "not root: give key-encryption-key and database-url to uid 10001 (chown 10001:10001)" >&2
fi
echo "made what was missing in $folder; put tls.crt and tls.key there. Back key-encryption-key up, apart from the database."
