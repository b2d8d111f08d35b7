#!/bin/sh
# Installs, from Debian's packages, the programs that `make services-test` drives and this machine lacks.
set -eu

missing=
# wants PACKAGE PROGRAM...: the package is missing unless one of the programs is there.
wants() {
    package=$1
    shift
    for program; do
        command -v "$program" >/dev/null && return
    done
    missing="$missing $package"
}
wants chromium chromium
wants default-jdk-headless java
wants maven mvn
wants postgresql postgres /usr/lib/postgresql/*/bin/postgres
wants faketime faketime
wants buildah buildah
wants debootstrap debootstrap
wants iproute2 ip
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "The tests with real servers need$missing (Debian's names): install them with the system's package manager," \
        "or run sh tests/provision.sh as root on Debian." >&2
    exit 1
fi
echo "installing$missing"
# One at a time, where two runs start together.
exec 9>"${TMPDIR:-/tmp}/election-assets-provision.lock"
flock 9
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
apt() {
    apt-get -q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1 && return
    tail -n 5 "$log" >&2
    echo "apt-get $1 failed, so$missing cannot be installed; is the network there?" >&2
    exit 1
}
apt update
# shellcheck disable=SC2086
apt install -y --no-install-recommends $missing
