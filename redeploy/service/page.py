"""What distinguishes the builds of a web page: the files it loads, if their names change with their content."""

import hashlib
import re

_LOADED = re.compile(rb"""\b(?:src|href)\s{0,8}=\s{0,8}["']([^"'<>\s]{1,1000})["']""", re.IGNORECASE)
_FILE = re.compile(r"([^/?#]+\.(?:js|mjs|css|wasm|json|woff2?))(?:\?([^#]*))?(?:#.*)?", re.IGNORECASE)
_PART = re.compile(r"[A-Za-z0-9_-]{8,64}")

MOST_FILES = 2_000


def hashed_files(body: bytes) -> str:
    """Return one word for the set of content-hashed files that an HTML page loads; empty if it loads none.

    Bundlers write a hash of the content into the name (`index-BkA7dxQ2.js`, `main.3f2a1b4c.css`) or into the query
    (`site.css?v=3f2a1b4c`). What Cloudflare adds to a page, under `/cdn-cgi/`, is not part of the build.
    """
    files = set()
    for loaded in dict.fromkeys(_LOADED.findall(body)):
        address = loaded.decode("utf-8", "replace")
        file = _FILE.fullmatch(address.rpartition("/")[2])
        if file is not None and "/cdn-cgi/" not in address and any(map(_is_hash, _parts(file[1], file[2] or ""))):
            files.add(file[0])
            if len(files) >= MOST_FILES:
                break
    if not files:
        return ""
    digest = hashlib.sha256("\n".join(sorted(files)).encode()).hexdigest()
    return f"{len(files)} files {digest[:16]}" if len(files) > 1 else f"1 file {digest[:16]}"


def _parts(name: str, query: str) -> list[str]:
    stem = name.rpartition(".")[0]
    pieces = [*stem.split("."), *query.replace("&", "=").split("=")]
    return [part for piece in pieces for part in (piece.partition("-")[2] or piece, piece.rpartition("-")[2])]


def _is_hash(part: str) -> bool:
    """Return whether a text is a hash rather than a word: digits among letters, or capitals amid small letters."""
    if not _PART.fullmatch(part):
        return False
    mixed = re.search(r"[a-z][A-Z]", part) and re.search(r"[A-Z][a-z]*[A-Z]|[A-Z]$", part)
    return bool(re.search(r"\d", part) and re.search(r"[A-Za-z]", part)) or bool(mixed)
