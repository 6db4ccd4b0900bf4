#!/bin/sh
# publish.sh RELEASE: publishes what `npm run release:dry` made and tested. Needs gh, npm, helm and skopeo; GH_TOKEN, REGISTRY_USER.
# NODEOPS_PUBLISH=echo prints what would be done; NODEOPS_REGISTRY is another registry than GitHub's.
set -eu
cd "$1"
do=${NODEOPS_PUBLISH:-}
registry=${NODEOPS_REGISTRY:-ghcr.io/nodeops}
sha256sum --check --strict --quiet SHA256SUMS
package=$(ls nodeops-[0-9]*.tgz)
version=${package#nodeops-}
version=${version%.tgz}
chart=nodeops-chart-$version.tgz
if [ -n "${GH_TOKEN:-}" ] && [ -z "$do" ]; then
  host=${registry%%/*}
  echo "$GH_TOKEN" | skopeo login --username "$REGISTRY_USER" --password-stdin "$host"
  echo "$GH_TOKEN" | helm registry login --username "$REGISTRY_USER" --password-stdin "$host"
fi
# what others point to comes first: an image and a package before the release that names them
$do skopeo copy --all "oci:image:$version" "docker://$registry/nodeops:$version"
$do helm push "$chart" "oci://$registry/charts"
$do npm publish "$package" --provenance --access public
$do gh release create "v$version" --title "v$version" --notes-file RELEASE_NOTES.md \
  kubectl-nodeops_* "$package" "$chart" "nodeops_$version.cdx.json" nodeops.yaml SHA256SUMS
