#!/bin/sh
# Installs what `make services-test` drives and the machine lacks: Chromium, from Debian's packages.
set -eu
command -v chromium >/dev/null && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "The browser tests need chromium on the PATH; install it with the system's package manager." >&2
    exit 1
fi
echo "installing chromium"
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
