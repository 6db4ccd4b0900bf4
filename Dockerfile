# One image for all that runs in a cluster. Mounted as a volume it brings the agent's files, as a container (its entry is node) it is
#   init container   /nodeops/inject.cjs install DIRECTORY
#   webhook          /nodeops/inject.cjs serve
#   sidecar, ephemeral container   /nodeops/sidecar.cjs
# Nothing is fetched when it runs, and there is no shell in it.

FROM node:24-trixie-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json LICENSE ./
COPY scripts scripts
COPY src src
RUN node scripts/image.ts

FROM gcr.io/distroless/nodejs24-debian13:nonroot
# injected containers mount this image at /nodeops and so find /nodeops/agent/preload.cjs
COPY --from=build /build/dist/agent/preload.cjs /agent/preload.cjs
# the pod of `helm test` is injected like any other: the agent's volume hides its /nodeops
COPY --from=build /build/dist/inject.cjs /inject.cjs
COPY --from=build /build/dist/inject.cjs /build/dist/sidecar.cjs /nodeops/
COPY --from=build /build/LICENSE /nodeops/LICENSE
LABEL org.opencontainers.image.title="nodeops" org.opencontainers.image.licenses="Apache-2.0"
# a number, so that runAsNonRoot can be checked
USER 65532:65532
ENTRYPOINT ["/nodejs/bin/node"]
CMD ["/nodeops/sidecar.cjs"]
