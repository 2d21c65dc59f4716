# The image for a module of IoT Edge: the CPU image, and Azure's SDK in a folder of its own
# (docs/iot-edge.md).
#   docker build -f Dockerfile.cpu -t scoring-server:cpu .
#   docker build -f docker/iot-edge.Dockerfile -t scoring-server:iot-edge .
# For arm64 devices build both with --platform linux/arm64: the SDK has no native code, and ONNX
# Runtime is in its package for both.
# Behind a proxy that intercepts TLS: --secret id=extra_ca,src=ca.pem; for a private registry:
# --secret id=npmrc,src=.npmrc
ARG BASE_IMAGE=scoring-server:cpu
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS sdk
WORKDIR /opt/iot-edge
COPY docker/iot-edge/package.json docker/iot-edge/package-lock.json ./
RUN --mount=type=cache,id=npm,target=/root/.npm,sharing=locked \
    --mount=type=secret,id=extra_ca \
    --mount=type=secret,id=npmrc,target=/root/.npmrc \
    if [ -s /run/secrets/extra_ca ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/extra_ca; fi; \
    npm ci --omit=dev --ignore-scripts --no-audit --no-fund
COPY docker/prune-packages.ts docker/unused-dependencies.ts /opt/prune/
# Loads what is left, so that a rule that removes too much fails the build.
RUN node /opt/prune/prune-packages.ts node_modules @azure/storage-blob \
 && npm sbom --sbom-format=cyclonedx --sbom-type=application > sbom.cdx.json \
 && node -e "require('azure-iot-device'); require('azure-iot-device-mqtt')"

FROM ${BASE_IMAGE} AS iot-edge
COPY --from=sdk /opt/iot-edge /opt/iot-edge
USER 1000:1000
CMD ["iot-edge"]
