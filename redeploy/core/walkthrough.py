"""What is left to do once the files are written: commands to paste, in their order, at most 80 columns wide."""

import shlex

from redeploy.core.kit import COMPOSE, ENVIRONMENT, HOME, SNIPPETS, TOKEN, UPDATE, Answers, Nginx, Tls

_SECRETS = """\
1. In the service's repository, give GitHub its secrets. The token goes there
   past every command line and log.

{enter}     gh api --silent -X PUT 'repos/{{owner}}/{{repo}}/environments/production'
     sed -n 's/^{token}=//p' {environment} |
       gh secret set {token} --env production
     gh secret set WATCHTOWER_UPDATE_URL --env production \\
       --body https://{domain}{update}
"""
_ACCESS = """\

   And the service token that an Access policy admits (each asks for its value):

     gh secret set CF_ACCESS_CLIENT_ID --env production
     gh secret set CF_ACCESS_CLIENT_SECRET --env production
"""
_COPY = """\
2. From there, copy the files to the server.

     ssh root@SERVER mkdir -p {home}
     scp -pr deploy root@SERVER:{home}/
"""
_START = """\
3. On the server, as root. The first line is for a private image only: it asks
   for a token that may read packages.

     docker login {registry} --username YOU
     cd {home}
{certificate}     docker compose --env-file {environment} \\
       {files} up -d
"""
_CERTIFICATE = """\
     install -d -m 700 {folder}
     cp -L /etc/letsencrypt/live/{domain}/fullchain.pem \\
       /etc/letsencrypt/live/{domain}/privkey.pem {folder}/
"""
_HOST = """\
     mkdir -p /etc/nginx/snippets
     cp {variant} /etc/nginx/conf.d/portfolio.conf
     cp {snippets}/* /etc/nginx/snippets/
     nginx -t && nginx -s reload
"""
_DEFAULT_SERVER = """
   If nginx says `duplicate default server`, another file is in the way; on
   Debian that is /etc/nginx/sites-enabled/default.
"""
_RENEWAL = """
   Certbot's own files are links that lead elsewhere, hence the copy. A script
   in /etc/letsencrypt/renewal-hooks/deploy/ is to repeat it, and reload nginx:

     {reload}
"""
_TUNNEL = """\
4. Let the tunnel send the host to nginx: in its configuration, or as a public
   hostname in the dashboard.

     ingress:
       - hostname: {domain}
         service: {service}
       - service: http_status:404
"""
_NETWORK = """
   Both must share a network. TUNNEL_NETWORK in {environment} names
   the tunnel's, if that is not infra_net; `docker network ls` lists them.
"""
_LOOK = """\
{number}. Look from outside. Without a token nothing is triggered, and Watchtower's
   refusal is the right answer: 401{access}.

     curl -sS -o /dev/null -w '%{{http_code}}\\n' -X POST \\
       https://{domain}{update}
"""
_REDEPLOY = """\
{number}. Commit the files ({environment} is ignored, and must stay so), let
   doctor look at the whole chain, which updates nothing, and redeploy.

     git add deploy .github && git commit -m 'Redeploy through Watchtower'
     git push
     gh workflow run doctor.yml
     gh run watch
     gh workflow run redeploy-backend.yml
     gh run watch
"""


def next_steps(answers: Answers, repository: str = "") -> str:
    """Return the steps that lead from the files in a repository (empty for where one is) to the first redeploy."""
    steps = [_secrets(answers, repository), _COPY.format(home=HOME), _start(answers)]
    if answers.tls is Tls.TUNNEL:
        steps.append(_tunnel(answers))
    access = ". Access answers first, with 302 or 403" if answers.access else ""
    steps.append(_LOOK.format(number=len(steps) + 1, domain=answers.domain, update=UPDATE, access=access))
    steps.append(_REDEPLOY.format(number=len(steps) + 1, environment=ENVIRONMENT))
    return "\n".join(steps)


def _secrets(answers: Answers, repository: str) -> str:
    enter = f"     cd {shlex.quote(repository)}\n" if repository else ""
    told = _SECRETS.format(enter=enter, token=TOKEN, environment=ENVIRONMENT, domain=answers.domain, update=UPDATE)
    return told + (_ACCESS if answers.access else "")


def _start(answers: Answers) -> str:
    on_the_host = answers.nginx is Nginx.HOST
    folder = "/etc/nginx/certs" if on_the_host else f"{HOME}/certs"
    ends_tls = answers.tls is Tls.NGINX
    told = _START.format(
        registry=answers.image.registry,
        home=HOME,
        certificate=_CERTIFICATE.format(folder=folder, domain=answers.domain) if ends_tls else "",
        environment=ENVIRONMENT,
        files=" \\\n       ".join(_compose_files(answers)),
    )
    if on_the_host:
        told += _HOST.format(variant=answers.variant, snippets=SNIPPETS) + _DEFAULT_SERVER
    reload = "nginx -s reload" if on_the_host else "docker exec portfolio-nginx nginx -s reload"
    return told + (_RENEWAL.format(reload=reload) if ends_tls else "")


def _tunnel(answers: Answers) -> str:
    if answers.nginx is Nginx.HOST:
        return _TUNNEL.format(domain=answers.domain, service="http://127.0.0.1:80")
    return _TUNNEL.format(domain=answers.domain, service="http://portfolio.int:80") + _NETWORK.format(
        environment=ENVIRONMENT
    )


def _compose_files(answers: Answers) -> list[str]:
    """Return the options that tell Compose what makes up the server."""
    profile = ["--profile nginx"] if answers.nginx is Nginx.COMPOSE else []
    return [*profile, *(f"-f {path}" for path in (COMPOSE, *answers.overlays))]
