#!/bin/sh
# install.sh DIRECTORY [VERSION]: puts the released plugin for this machine into DIRECTORY, checked against the release's checksums.
# VERSION is that of the package.json this script came with, if not given. NODEOPS_RELEASES is where releases are, if not at GitHub.
set -eu
fail() { echo "nodeops: $1" >&2; exit 1; }
directory=${1:?usage: install.sh DIRECTORY [VERSION]}
version=${2:-$(sed -n 's/^ *"version": *"\(.*\)",*$/\1/p' "$(dirname "$0")/../../package.json" | head -n 1)}
releases=${NODEOPS_RELEASES:-https://github.com/nodeops/nodeops/releases/download}
case $(uname -s) in
  Linux) os=linux kind=tar.gz ;;
  Darwin) os=darwin kind=tar.gz ;;
  MINGW* | MSYS* | CYGWIN*) os=windows kind=zip ;;
  *) fail "there is no release for $(uname -s); npm install --global nodeops" ;;
esac
case $(uname -m) in
  x86_64 | amd64) arch=amd64 ;;
  arm64 | aarch64) arch=arm64 ;;
  *) fail "there is no release for $(uname -m); npm install --global nodeops" ;;
esac
file=kubectl-nodeops_${version}_${os}_$arch.$kind
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
get() { curl --fail --silent --show-error --location --retry 3 --output "$work/$1" "$releases/v$version/$1"; }
get SHA256SUMS || fail "no release $version at $releases"
expected=$(sed -n "s/^\([0-9a-f]\{64\}\)  $file\$/\1/p" "$work/SHA256SUMS")
[ -n "$expected" ] || fail "release $version has no $file"
get "$file" || fail "$file could not be fetched from $releases"
if command -v sha256sum > /dev/null; then found=$(sha256sum "$work/$file"); else found=$(shasum -a 256 "$work/$file"); fi
[ "${found%% *}" = "$expected" ] || fail "$file is not what SHA256SUMS says: ${found%% *}, not $expected"
mkdir -p "$directory"
if [ "$kind" = zip ]; then unzip -qo "$work/$file" -d "$directory"; else tar -xzf "$work/$file" -C "$directory"; fi
echo "kubectl-nodeops $version is in $directory"
