#!/bin/sh
# Installs the Debian packages that building and testing Tern needs and that are missing, saying so first. What is there
# already, as a package or (for programs) from elsewhere on the PATH, is left alone.
set -eu

# program:package, then the libraries, which only their package can bring.
programs="g++:g++ cmake:cmake ninja:ninja-build pkg-config:pkg-config python3:python3"
libraries="libfmt-dev nlohmann-json3-dev libcli11-dev libpcre2-dev libutf8proc-dev libgtest-dev libopenblas0-pthread libdnnl2"

if ! command -v dpkg-query >/dev/null 2>&1; then
  echo "No Debian packages on this system: make sure that g++ >= 12, CMake >= 3.25, pkg-config, python3 and the" \
       "libraries fmt, nlohmann-json, CLI11, PCRE2, utf8proc, GoogleTest and (for training) oneDNN or OpenBLAS are installed." >&2
  exit 0
fi

is_installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q "install ok installed"; }

missing=""
for pair in $programs; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
for package in $libraries; do
  is_installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "Tern needs Debian packages that are missing here:$missing"
as_root=""
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    echo "Not root, and there is no sudo. As root, run: apt-get install$missing" >&2
    exit 1
  fi
  as_root="sudo"
fi
echo "Installing them with apt-get."
export DEBIAN_FRONTEND=noninteractive
# The list of packages may be empty or old: refreshed first, and a failure there is only worth a line.
$as_root apt-get update -qq || echo "apt-get update failed; trying with the lists at hand." >&2
# shellcheck disable=SC2086  # the list is meant to be split
$as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null || {
  echo "apt-get could not install:$missing" >&2
  exit 1
}
echo "Installed:$missing"
