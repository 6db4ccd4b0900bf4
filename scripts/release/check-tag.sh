#!/bin/sh
# check-tag.sh vX.Y.Z: the tag is the version of package.json and of the chart, and the changelog knows it.
set -eu
tag=$1
version=$(node -p 'require("./package.json").version')
fail() { echo "$1" >&2; exit 1; }
[ "$tag" = "v$version" ] || fail "the tag is $tag, package.json says $version"
grep -qx "version: $version" deploy/helm/nodeops/Chart.yaml || fail "Chart.yaml is not of version $version"
grep -qx "appVersion: $version" deploy/helm/nodeops/Chart.yaml || fail "Chart.yaml is not of appVersion $version"
grep -qF "image: ghcr.io/nodeops/nodeops:$version" deploy/helm/nodeops/Chart.yaml || fail "Chart.yaml names the image of another version"
grep -q "^## $version (20" CHANGELOG.md || fail "CHANGELOG.md has no date for $version"
