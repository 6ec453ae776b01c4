"""The tokens of a registry's token server."""

import base64
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import jwt
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

SERVICE = "the registry"


class Issuer:
    """Signs tokens for a registry that trusts its authority."""

    def __init__(self) -> None:
        authority = trustme.CA()
        certificate = authority.issue_cert("registry.test")
        pem = certificate.cert_chain_pems[0].bytes()
        self._key = certificate.private_key_pem.bytes()
        self._chain = [base64.b64encode(x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)).decode()]
        self.authority = authority.cert_pem.bytes().decode()
        """The authority's certificate in PEM."""

    def token(self, scopes: Iterable[tuple[str, list[str]]]) -> str:
        """A token for these repositories, each with its allowed actions."""
        now = datetime.now(UTC)
        times = {"exp": now + timedelta(minutes=5), "nbf": now - timedelta(minutes=1), "iat": now}
        access = [{"type": "repository", "name": name, "actions": actions} for name, actions in scopes]
        claims = {"iss": "realm", "aud": SERVICE, "sub": "leo", "jti": "1", "access": access, **times}
        return jwt.encode(claims, self._key, algorithm="ES256", headers={"x5c": self._chain})

    def settings(self, realm: str, authority: str) -> dict[str, dict[str, str]]:
        """A registry's `auth` settings, with the URL of the token server and the path of the certificate."""
        return {"token": {"realm": realm, "service": SERVICE, "issuer": "realm", "rootcertbundle": authority}}
