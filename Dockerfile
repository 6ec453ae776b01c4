ARG BASE_IMAGE=python:3.12-slim@sha256:78387bc3881b8273120a12ebe6c1ab22b018ccc2c9adf565ae1ac9b536e184ea

FROM ${BASE_IMAGE} AS build
COPY requirements/runtime.txt /tmp/runtime.txt
# The virtual environment gives the interpreter one absolute path, wherever the base image keeps its own.
RUN python3 -m venv /opt/redeploy \
  && /opt/redeploy/bin/python -m pip install --no-cache-dir --no-compile --require-hashes --no-deps \
    --only-binary :all: -r /tmp/runtime.txt \
  && /opt/redeploy/bin/python -m pip check \
  && find /opt/redeploy/bin -type f -not -name 'python*' -delete \
  && rm -rf /opt/redeploy/lib/python3*/site-packages/pip* \
    /opt/redeploy/lib/python3*/site-packages/setuptools* \
    /opt/redeploy/lib/python3*/site-packages/pkg_resources \
    /opt/redeploy/lib/python3*/site-packages/_distutils_hack \
    /opt/redeploy/lib/python3*/site-packages/distutils-precedence.pth
COPY entrypoint.py /app/
COPY redeploy /app/redeploy
# Without bytecode each run would compile anew whatever it imports, since a container starts from the image every time.
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /opt/redeploy/lib /app

FROM ${BASE_IMAGE}
# No run installs anything. The official Python images ship the standard library without its bytecode.
RUN rm -rf /usr/local/bin/pip* /usr/local/bin/idle* \
    /usr/local/lib/python3*/site-packages/* \
    /usr/local/lib/python3*/ensurepip \
    /usr/lib/python3*/ensurepip \
    /usr/share/python-wheels \
  && python3 -m compileall -q -x '/(idlelib|lib2to3|test|tests|tkinter|turtledemo)/' \
    "$(python3 -c 'import os; print(os.path.dirname(os.__file__))')"
COPY --from=build /opt/redeploy /opt/redeploy
COPY --from=build /app /app

ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Redeploy with proof" \
  org.opencontainers.image.description="Redeploys a Docker host through Watchtower and proves which build answers." \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.source="https://github.com/leok974/redeploy-action" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"

ENTRYPOINT ["/opt/redeploy/bin/python", "-I", "-u", "/app/entrypoint.py"]
