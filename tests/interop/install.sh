#!/bin/sh
# Install the relying parties of tests/interop that are not Python: npm packages, pinned by the lock file, and
# Debian's mod_auth_openidc where this is root on a system with apt-get. Says what it left out; with CI=true
# that is a failure.
set -u

here=$(dirname "$0")
left_out=0

leave_out() {
    echo "Left out of the interop tests: $1" >&2
    left_out=1
}

lock=$here/node/package-lock.json
installed=$here/node/node_modules/.package-lock.json
if [ ! -e "$installed" ] || [ "$lock" -nt "$installed" ]; then
    echo "Installing the npm packages of $here/node …" >&2
    # Node knows its own certificate authorities alone; what this system trusts besides is for npm as well.
    authorities=/etc/ssl/certs/ca-certificates.crt
    if [ -z "${NODE_EXTRA_CA_CERTS:-}" ] && [ -r "$authorities" ]; then
        export NODE_EXTRA_CA_CERTS="$authorities"
    fi
    npm ci --prefix "$here/node" --no-progress --loglevel=error || leave_out "openid-client, oauth4webapi and oidc-client-ts; npm says why above."
fi

module=/usr/lib/apache2/modules/mod_auth_openidc.so
if [ ! -e "$module" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing Apache's mod_auth_openidc from this system's packages …" >&2
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -q && apt-get install -q -y --no-install-recommends libapache2-mod-auth-openidc; } >&2
fi
[ -e "$module" ] || leave_out "mod_auth_openidc; install Debian's libapache2-mod-auth-openidc, or run this as root."

[ "$left_out" = 0 ] || [ "${CI:-}" != true ]
