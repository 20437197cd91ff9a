#!/bin/sh
# Print the path of a Chromium for the browser tests, installing Debian's where that is possible.
set -eu

if [ -n "${CHROMIUM:-}" ]; then
    command -v "$CHROMIUM" && exit
    echo "CHROMIUM names $CHROMIUM, which cannot be run." >&2
    exit 1
fi

find_chromium() {
    command -v chromium || command -v chromium-browser || command -v google-chrome
}

if find_chromium; then
    exit
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing Chromium from this system's packages …" >&2
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update && apt-get install -y --no-install-recommends chromium fonts-noto-core; } >&2
    find_chromium && exit
fi
echo "The browser tests need Chromium: install it, or name it with CHROMIUM=/path/to/chromium." >&2
exit 1
