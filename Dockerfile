ARG BASE_IMAGE=python:3.12-slim@sha256:78387bc3881b8273120a12ebe6c1ab22b018ccc2c9adf565ae1ac9b536e184ea

FROM ${BASE_IMAGE} AS build
COPY requirements/runtime.txt /tmp/runtime.txt
# The virtual environment gives the interpreter one absolute path, wherever the base image keeps its own.
RUN python3 -m venv /opt/redeploy \
  && /opt/redeploy/bin/python -m pip install --no-cache-dir --no-compile --require-hashes --no-deps \
    --only-binary :all: -r /tmp/runtime.txt \
  && /opt/redeploy/bin/python -m pip check
COPY entrypoint.py /app/
COPY redeploy /app/redeploy
COPY tools/image/assemble.py /tmp/
RUN python3 /tmp/assemble.py /opt/redeploy /app /image

# The interpreter, its libraries, certificates and the action: a job waits for the pull of each byte before it starts.
FROM scratch
COPY --from=build /image /

ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Redeploy with proof" \
  org.opencontainers.image.description="Redeploys a Docker host through Watchtower and proves which build answers." \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.source="https://github.com/leok974/redeploy-action" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"

ENTRYPOINT ["/opt/redeploy/bin/python", "-I", "-u", "/app/entrypoint.py"]
