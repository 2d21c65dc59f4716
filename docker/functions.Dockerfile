# The image of a function app: the Functions host, and this server as its custom handler
# (docs/azure-functions.md). Build it in the folder with host.json, the functions, script and model:
#   docker build -f functions.Dockerfile --build-arg FUNCTIONS_IMAGE=<its registry>/azure-functions/node:4-node22 -t my-app .
# test/image builds it on Debian without a Functions host. On Microsoft's base it was not built.
ARG SERVER_IMAGE=scoring-server:cpu
ARG FUNCTIONS_IMAGE=azure-functions/node:4-node22

FROM ${SERVER_IMAGE} AS server

FROM ${FUNCTIONS_IMAGE} AS functions
USER 0:0
# Node 24 and ONNX Runtime link libatomic1 and libstdc++6.
RUN --mount=type=secret,id=extra_ca \
    if [ -s /run/secrets/extra_ca ]; then ca='-o Acquire::https::CAInfo=/run/secrets/extra_ca'; fi; \
    export DEBIAN_FRONTEND=noninteractive \
 && apt-get ${ca:-} update -qq \
 && apt-get ${ca:-} install -y -qq --no-install-recommends libatomic1 libstdc++6 \
 && rm -rf /var/lib/apt/lists/*
# The base has a Node that is too old. StringNormalizer needs the locale.
COPY --from=server /usr/local/bin/node /usr/local/bin/node
COPY --from=server /usr/lib/locale/en_US.utf8 /usr/lib/locale/en_US.utf8
COPY --from=server /opt/scoring-server /opt/scoring-server
# Fails where the base is too old for this Node.
RUN ["/usr/local/bin/node", "/opt/scoring-server/server/main.ts", "functions", "--help"]

# The Functions host stays the command of the image. It starts this server by host.json.
ENV AzureWebJobsScriptRoot=/home/site/wwwroot \
    AzureFunctionsJobHost__Logging__Console__IsEnabled=true \
    FUNCTIONS_WORKER_RUNTIME=custom \
    NODE_ENV=production \
    ORT_DISABLE_TELEMETRY=1 \
    AML_APP_ROOT=/home/site/wwwroot
COPY . /home/site/wwwroot
