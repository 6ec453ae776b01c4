# Stands in for the official image `registry:2`: its port, its folder, its settings by REGISTRY_*.
FROM python:3.12-slim
# hadolint ignore=DL3008
RUN apt-get update --quiet --quiet \
  && DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --quiet --no-install-recommends docker-registry \
  && rm -rf /var/lib/apt/lists/*
COPY registry.yml /etc/docker/registry/config.yml
VOLUME ["/var/lib/registry"]
ENTRYPOINT ["docker-registry", "serve", "/etc/docker/registry/config.yml"]
