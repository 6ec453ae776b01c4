"""How to replace the token so that no deploy uses the wrong one.

Watchtower knows one token, read when its container is created, and GitHub hands a job the secrets as they are when the job
starts. Between the two changes every deployment would get 401, in whichever order they come; so none may start.
"""

import shlex

FROM_THE_SERVER = "server"
FROM_GITHUB = "github"

_PAUSE = """\
1. Let no deployment start, and wait until none runs: Watchtower knows one token
   at a time, and a job takes the secrets with it when it starts. Go on when
   this lists nothing more.

     gh workflow disable redeploy-backend.yml
     gh run list --workflow redeploy-backend.yml --json status,url \\
       --jq '.[] | select(.status != "completed")'

   Disable everything else that redeploys, too, and workflows that call this
   one.
"""

_CHANGE = {
    FROM_THE_SERVER: """\
2. On the server, write a new token into the environment file. Watchtower keeps
   the old one for now.

     cd /opt/{name}/deploy
     (umask 077
      new=$(openssl rand -base64 32 | tr '+/' '-_' | tr -d '=')
      { grep -v '^WATCHTOWER_HTTP_API_TOKEN=' .env.production
        echo "WATCHTOWER_HTTP_API_TOKEN=$new"
      } > .env.production.new && mv .env.production.new .env.production)

3. On your own machine, pass the same token to GitHub, without showing it in
   a command line, log or clipboard.

     ssh root@your-server "sed -n 's/^WATCHTOWER_HTTP_API_TOKEN=//p' \\
       /opt/{name}/deploy/.env.production" |
       gh secret set WATCHTOWER_HTTP_API_TOKEN{env}

4. On the server, check that no update is running (Watchtower polls too, and an
   interrupted update may leave a service stopped), and recreate Watchtower with
   the same `-f` as always. `restart` would keep the old token.

     docker logs --since 2m {name}-watchtower
     docker compose --env-file .env.production \\
       -f docker-compose.{name}-prod.yml up -d watchtower
""",
    FROM_GITHUB: """\
2. Give GitHub a new token. The server keeps the old one for now.

     python3 -m redeploy token |
       gh secret set WATCHTOWER_HTTP_API_TOKEN{env}

3. Bring it to the server: the workflow renders the environment file, and
   recreates the containers that use it.

     gh workflow run deploy-secrets-nightly.yml
     gh run watch
""",
}

_PROVE = """\
{number}. Check that both have the same token: doctor says whether Watchtower accepts
   GitHub's, and updates nothing.

     gh workflow run doctor.yml
     gh run watch

   If it does not, {amends}.

{then}. Let deployments start again.

     gh workflow enable redeploy-backend.yml
"""

_AMENDS = {
    FROM_THE_SERVER: "repeat steps 3 and 4: the server's file is what counts",
    FROM_GITHUB: "repeat step 3: GitHub's secret is what counts",
}


def steps(source: str, name: str, environment: str = "production") -> str:
    """Return the steps in order, for a set-up in which tokens come from `FROM_THE_SERVER` or `FROM_GITHUB`.

    Args:
        source: one of the two.
        name: what folder and containers on the server are called.
        environment: the GitHub environment that has the secrets; empty if the repository has them.
    """
    number = 5 if source == FROM_THE_SERVER else 4
    env = f" --env {shlex.quote(environment)}" if environment else ""
    change = _CHANGE[source].replace("{name}", name).replace("{env}", env)
    return "\n".join([_PAUSE, change, _PROVE.format(number=number, then=number + 1, amends=_AMENDS[source])])
