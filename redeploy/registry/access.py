"""How registries are reached."""

from dataclasses import dataclass, replace

from redeploy.text.secret import Secret


@dataclass(frozen=True)
class Access:
    """How registries are reached; both texts are empty if no credentials are given."""

    username: str
    password: Secret
    allow_http: bool

    @property
    def known(self) -> bool:
        """Whether there are credentials."""
        return bool(self.password.reveal())

    @property
    def anonymous(self) -> "Access":
        """The same without credentials."""
        return replace(self, username="", password=Secret(""))
