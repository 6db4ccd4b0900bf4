#!/bin/sh
# sign-macos.sh RELEASE: signs the executable for Intel Macs ad hoc, on a Mac, and puts its archives and all checksums right.
set -eu
cd "$1"
archive=$(ls kubectl-nodeops_*_darwin_amd64.tar.gz)
before=$(shasum -a 256 "$archive" | cut -d' ' -f1)
work=$(mktemp -d)
tar -xzf "$archive" -C "$work"
codesign --force --sign - "$work/kubectl-nodeops"
"$work/kubectl-nodeops" --help > /dev/null
tar -czf "$archive" -C "$work" .
gunzip --keep "$archive"
zstd --quiet --force -19 --long=27 --rm "${archive%.gz}" -o "${archive%.gz}.zst"
after=$(shasum -a 256 "$archive" | cut -d' ' -f1)
sed -i '' "s/$before/$after/" nodeops.yaml
files=$(find . -maxdepth 1 -type f ! -name SHA256SUMS | sed 's|^\./||' | LC_ALL=C sort)
for file in $files; do shasum -a 256 "$file"; done > SHA256SUMS
