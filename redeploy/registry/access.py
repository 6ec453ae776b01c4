"""How registries are reached."""

from dataclasses import dataclass

from redeploy.text.secret import Secret


@dataclass(frozen=True)
class Access:
    """How registries are talked to; both texts are empty where nobody in particular talks."""

    username: str
    password: Secret
    allow_http: bool

    @property
    def known(self) -> bool:
        """Whether there are credentials."""
        return bool(self.password.reveal())
