"""What remains to be done once the files are written: commands to paste, in order, at most 80 columns wide."""

import shlex

from redeploy.setup.places import ENVIRONMENT, GHCR, TOKEN, UPDATE, Places
from redeploy.setup.questionnaire import Answers, Nginx, Tls

_GH = """
   This takes GitHub's command `gh`, logged in (`gh auth login`).
"""
_NO_GH = """
   This takes GitHub's command `gh`, logged in (`gh auth login`). It is not
   installed here: see https://cli.github.com, or enter the same by hand at
   Settings > Secrets and variables > Actions of the repository.
"""
_PLANS = """
   The job waits for its secrets in the environment `{environment}`, which the
   first commands create if it is not there. GitHub's free plan has environments
   for public repositories only; else run init again with
   `--environment none --force`.
"""
_SECRETS = """\
1. In the service's repository, give GitHub its secrets. The token goes there
   past every command line and log.
{needs}
{enter}{create}     sed -n 's/^{token}=//p' {file} |
       gh secret set {token}{env}
     gh secret set WATCHTOWER_UPDATE_URL{env} \\
       --body https://{domain}{update}
"""
_CREATE = """\
     place='repos/{{owner}}/{{repo}}/environments/{environment}'
     gh api --silent "$place" 2>/dev/null || gh api --silent -X PUT "$place"
"""
_ACCESS = """\

   And the service token that an Access policy allows (each asks for its value):

     gh secret set CF_ACCESS_CLIENT_ID{env}
     gh secret set CF_ACCESS_CLIENT_SECRET{env}
"""
_REGISTRY = """\

   And a user who may read the image at {registry} (each asks for its value):

     gh secret set REGISTRY_USERNAME{env}
     gh secret set REGISTRY_PASSWORD{env}
"""
_COPY = """\
2. From there, copy the files to the server (`your-server` is its name for
   ssh). If nginx and Watchtower run already, follow docs/existing-server.md of
   redeploy-action instead of steps 2 and 3.

     ssh root@your-server mkdir -p {home}
     scp -pr deploy root@your-server:{home}/
"""
_START = """\
3. On the server, as root. Settings and volumes of the service go into a compose
   file of your own, which one more `-f` passes.{login}{first}

{log_in}     cd {home}
{certificate}     docker compose --env-file {environment} \\
       {files} up -d
"""
_LOGIN = """
   The first line asks for a token that may read the image (at GitHub, a classic
   one with `read:packages`); `your-name` is your user name there."""
_LOG_IN = """\
     docker login {registry} --username your-name
"""
_FIRST_CERTIFICATE = """
   Certbot's certificate must be there. If it is not, get it with one of its DNS
   plugins: they leave port 80 to nginx, at each renewal, too."""
_CERTIFICATE = """\
     install -d -m 700 {folder}
     cp -L /etc/letsencrypt/live/{domain}/fullchain.pem \\
       /etc/letsencrypt/live/{domain}/privkey.pem {folder}/
"""
_HOST = """\
     mkdir -p /etc/nginx/{name}
     cp {variant} /etc/nginx/conf.d/{name}.conf
     cp {includes}/* /etc/nginx/{name}/
     nginx -t && nginx -s reload
"""
_PAGES = """
   nginx serves the pages in {folder} there.
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
{number}. Check from outside. Without a token nothing is triggered, and Watchtower's
   refusal is the right response: 401{access}.

     curl -sS -o /dev/null -w '%{{http_code}}\\n' -X POST \\
       https://{domain}{update}
"""
_REDEPLOY = """\
{number}. Keep the token out of images that are built from this folder, commit the
   files ({environment} is ignored, and must stay so), let doctor
   check the whole chain, which updates nothing, and redeploy.

     grep -qsx deploy/ .dockerignore || printf '\\ndeploy/\\n' >> .dockerignore
     git add .dockerignore deploy .github
     git commit -m 'Redeploy through Watchtower'
     git push
     gh workflow run doctor.yml
     gh run watch
     gh workflow run redeploy-backend.yml
     gh run watch
{named}"""
_NAMED = """
   The first redeploy has nothing new to bring, and says so. After you pushed the
   image of another commit, name that commit: green means that it is live.

     gh workflow run redeploy-backend.yml -f version="$(git rev-parse HEAD)"
"""
_UNNAMED = """
   The first redeploy has nothing new to bring, and says so. Later ones look for
   a change. To have a certain image proven, name its digest, as the registry
   shows it: `gh workflow run redeploy-backend.yml -f digest=sha256:...`. To
   have a certain commit proven, let the service report it, and run init again,
   with the same answers, `--version-path` or `--version-field`, and `--force`.
"""


def next_steps(answers: Answers, repository: str = "", *, has_gh: bool = True) -> str:
    """Return the steps from the files in a repository (empty: the current folder) to the first redeploy."""
    steps = [_secrets(answers, repository, has_gh=has_gh), _COPY.format(home=Places(answers).home), _start(answers)]
    if answers.tls is Tls.TUNNEL:
        steps.append(_tunnel(answers))
    access = ". Access responds first, with 302 or 403" if answers.access else ""
    steps.append(_LOOK.format(number=len(steps) + 1, domain=answers.domain, update=UPDATE, access=access))
    named = _NAMED if answers.version_path or answers.version_field else _UNNAMED
    steps.append(_REDEPLOY.format(number=len(steps) + 1, environment=ENVIRONMENT, named=named))
    return "\n".join(steps)


def _secrets(answers: Answers, repository: str, *, has_gh: bool) -> str:
    needs, create, env = _GH if has_gh else _NO_GH, "", ""
    if answers.environment:
        needs += _PLANS.format(environment=answers.environment)
        create = _CREATE.format(environment=answers.environment.replace(" ", "%20").replace("/", "%2F"))
        env = f" --env {shlex.quote(answers.environment)}"
    text = _SECRETS.format(
        needs=needs,
        enter=f"     cd {shlex.quote(repository)}\n" if repository else "",
        create=create,
        env=env,
        token=TOKEN,
        file=ENVIRONMENT,
        domain=answers.domain,
        update=UPDATE,
    )
    text += _ACCESS.format(env=env) if answers.access else ""
    registry = answers.image.registry
    return text + (_REGISTRY.format(registry=registry, env=env) if answers.private and registry != GHCR else "")


def _start(answers: Answers) -> str:
    places, on_the_host, ends_tls = Places(answers), answers.nginx is Nginx.HOST, answers.tls is Tls.NGINX
    text = _START.format(
        login=_LOGIN if answers.private else "",
        first=_FIRST_CERTIFICATE if ends_tls else "",
        log_in=_LOG_IN.format(registry=answers.image.registry) if answers.private else "",
        home=places.home,
        certificate=_CERTIFICATE.format(folder=places.certificates, domain=answers.domain) if ends_tls else "",
        environment=ENVIRONMENT,
        files=" \\\n       ".join(_compose_files(places)),
    )
    if on_the_host:
        text += _HOST.format(variant=places.variant, includes=places.includes, name=answers.name)
    if answers.pages:
        text += _PAGES.format(folder=places.pages if on_the_host else f"{places.home}/deploy/pages")
    reload = "nginx -s reload" if on_the_host else f"docker exec {answers.name}-nginx nginx -s reload"
    return text + (_RENEWAL.format(reload=reload) if ends_tls else "")


def _tunnel(answers: Answers) -> str:
    if answers.nginx is Nginx.HOST:
        return _TUNNEL.format(domain=answers.domain, service="http://127.0.0.1:80")
    return _TUNNEL.format(domain=answers.domain, service=f"http://{answers.name}.int:80") + _NETWORK.format(
        environment=ENVIRONMENT
    )


def _compose_files(places: Places) -> list[str]:
    """Return the options that give Compose the server's files."""
    profile = ["--profile nginx"] if places.answers.nginx is Nginx.COMPOSE else []
    return [*profile, *(f"-f {path}" for path in (places.compose, *places.overlays))]
