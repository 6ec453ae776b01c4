# Stands in for the official image of nginx: its folders, its log on standard output, its stop signal.
FROM python:3.12-slim
# hadolint ignore=DL3008
RUN apt-get update --quiet --quiet \
  && DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --quiet --no-install-recommends nginx-light curl \
  && rm -rf /var/lib/apt/lists/* /etc/nginx/sites-enabled/* \
  && ln -sf /dev/stdout /var/log/nginx/access.log \
  && ln -sf /dev/stderr /var/log/nginx/error.log
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
