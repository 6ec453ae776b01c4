"""The paths and names of everything in the set-up, in the repository and on the server."""

from dataclasses import dataclass

from redeploy.setup.questionnaire import Answers, Nginx, Tls

TOKEN = "WATCHTOWER_HTTP_API_TOKEN"  # noqa: S105 - its name
SHIPPED_NAME = "portfolio"
TEMPLATE = "deploy/.env.production.example"
ENVIRONMENT = "deploy/.env.production"
IGNORED = "deploy/.gitignore"
WORKFLOW = ".github/workflows/redeploy-backend.yml"
DOCTOR = ".github/workflows/doctor.yml"
EXAMINES = "examples/doctor.yml"
"""The template of that file."""
UPDATE = "/ops/watchtower/update"
GHCR = "ghcr.io"


@dataclass(frozen=True)
class Places:
    """The paths in the repository and on the server."""

    answers: Answers

    @property
    def home(self) -> str:
        """The folder on the server that `deploy` is copied to."""
        return f"/opt/{self.answers.name}"

    @property
    def compose(self) -> str:
        """The compose file."""
        return f"deploy/docker-compose.{self.answers.name}-prod.yml"

    @property
    def overlays(self) -> tuple[str, ...]:
        """The compose files beside it."""
        if self.answers.nginx is Nginx.HOST:
            return ()
        return (f"deploy/docker-compose.{'tls' if self.answers.tls is Tls.NGINX else 'tunnel'}.yml",)

    @property
    def variant(self) -> str:
        """The nginx file for this server."""
        place = "prod" if self.answers.nginx is Nginx.HOST else "compose"
        return f"deploy/nginx/nginx.{place}{'-tls' if self.answers.tls is Tls.NGINX else ''}.conf"

    @property
    def includes(self) -> str:
        """The folder of the snippets that it includes."""
        return f"deploy/nginx/{self.answers.name}"

    @property
    def pages(self) -> str:
        """The folder of nginx's pages."""
        return f"/var/www/{self.answers.name}" if self.answers.nginx is Nginx.HOST else "/usr/share/nginx/html"

    @property
    def certificates(self) -> str:
        """The server's folder of certificate and key, if nginx ends TLS."""
        on_the_host = self.answers.nginx is Nginx.HOST
        return f"/etc/nginx/{self.answers.name}/certs" if on_the_host else f"{self.home}/certs"
