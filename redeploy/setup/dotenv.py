r"""The environment file that Compose reads, written so that all of its parsers agree.

`docker compose` v2 reads it with compose-go (`dotenv/parser.go`), docker-compose 1.29 with python-dotenv (`parser.py`,
`variables.py`), whether it is given with `--env-file` or stands under `env_file:`. They differ
(compose-go 1.9 to 2.16, python-dotenv 0.21 to 1.2):

* Bare words: compose-go replaces `$NAME` and cuts at ` #`.
* Single quotes: none replaces `$NAME`; but `\\` is two backslashes in compose-go and one in python-dotenv, and `\'` is a
  quote only in python-dotenv and from compose-go 2.0 on.
* Double quotes: all know `\\`, `\"`, `\n` and `\r`; compose-go replaces `$NAME`, and only it knows `\$`.
* python-dotenv replaces `${NAME}` in all quotes, and nothing escapes it. It takes a double quote after `\\` for escaped, if
  another follows anywhere in the file.
* All read a line end of two characters as one.
"""

import contextlib
import re
from collections.abc import Collection, Iterator, Mapping

from redeploy.text.secret import Secret

PREFIX = "SECRET_"
"""Prefix of the variables that pass secrets, so that nothing else in an environment is taken for one."""

_LINE_ENDS = "\r\n"
_NAME = "[A-Za-z_][A-Za-z0-9_]*"
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=~-]+")
_BARE = re.compile(r"(?!['\"])[!\"%-~]+(?: [!\"%-~]+)*")
_REPLACED = re.compile(r"\$\{[^}]*\}")  # python-dotenv, variables.py
_QUOTED = r"""'(?:\\'|[^'])*'|"(?:\\"|[^"])*\""""
_LINE = re.compile(rf"({_NAME})=[^\S\n]*(|(?:{_QUOTED})[^\S\n]*(?:#.*)?|[^\s'\"#].*)")
_SETTINGS = re.compile(rf"(?m)^({_NAME})=({_QUOTED}|[^\n]*)")


class TemplateError(Exception):
    """A template and its secrets do not match; `problems` has a sentence for each mismatch, without values."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


def quoted(value: str) -> str:
    """Return a value as written after `NAME=`, so that every parser reads it alike.

    Raises:
        ValueError: if there is no such way to write it. The message does not contain the value.
    """
    if not value:
        msg = (
            "is empty; the secret behind it is probably unset, and one of an environment needs the job's `environment:`"
        )
        raise ValueError(msg)
    try:
        value.encode()
    except UnicodeEncodeError:
        msg = "is not valid UTF-8"
        raise ValueError(msg) from None
    if "\0" in value:
        msg = "contains a zero byte, which no environment variable can contain"
        raise ValueError(msg)
    if _REPLACED.search(value):
        msg = "contains `${...}`, which docker-compose 1.29 replaces in all quotes; choose another value"
        raise ValueError(msg)
    if _PLAIN.fullmatch(value):
        return value
    if not re.search(r"'|\\(?:\\|\Z)|\r", value):
        return f"'{value}'"
    if _BARE.fullmatch(value):
        return value
    if re.search(r'\$|\\(?:"|\Z)', value):
        msg = (
            "cannot be quoted so that every Compose reads it: it contains both a `$` and a single quote or a carriage "
            "return, or backslashes that would count as escapes; choose another value"
        )
        raise ValueError(msg)
    for character, escape in (("\\", "\\\\"), ('"', '\\"'), ("\r", "\\r")):
        value = value.replace(character, escape)
    return f'"{value}"'


def traces(value: str) -> Iterator[str]:
    """Yield the parts of a value that a program may quote after reading the file: its lines, also as written there."""
    yield from value.splitlines()
    with contextlib.suppress(ValueError):
        yield from quoted(value).strip("'\"").splitlines()


def rendered(template: str, secrets: Mapping[str, Secret]) -> str:
    """Return a template with each line `NAME=` filled in with the secret of that name; all other lines stay unchanged.

    Line ends at the end of a secret are left out: they are there because it was piped in.

    Raises:
        TemplateError: with every problem at once: a line that is neither empty, nor a comment, nor a setting on one line,
            a name that is set twice, a secret that is missing or cannot be written, and one that nothing asks for.
    """
    lines, problems, asked, seen = (
        template.replace("\r\n", "\n").rstrip("\n").split("\n"),
        list[str](),
        set[str](),
        set[str](),
    )
    for index, line in enumerate(lines):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not (match := _LINE.fullmatch(line)):
            problems.append(f"Line {index + 1} of the template is neither a comment nor `NAME=value` on one line.")
            continue
        name, value = match.groups()
        if name in seen:
            problems.append(f"Line {index + 1} of the template sets `{name}` a second time.")
        seen.add(name)
        if value:
            continue
        asked.add(name)
        if name not in secrets:
            problems.append(f"`{name}` has no value: the template has none, and `{PREFIX}{name}` is not set.")
            continue
        try:
            lines[index] = f"{name}={quoted(secrets[name].reveal().rstrip(_LINE_ENDS))}"
        except ValueError as error:
            problems.append(f"`{PREFIX}{name}` {error}.")
    problems += [
        f"`{PREFIX}{name}` is set, but the template has no line `{name}=`." for name in secrets if name not in asked
    ]
    if problems:
        raise TemplateError(problems)
    return "\n".join(lines) + "\n"


def settings(text: str) -> dict[str, str]:
    """Return the settings of an environment file by name, each as written there."""
    return dict(_SETTINGS.findall(text))


def without_values(text: str, shown: Collection[str]) -> str:
    """Return an environment file with only the values that may be shown, and nothing else of it."""
    bare = _SETTINGS.sub(lambda found: found[0] if found[1] in shown else f"{found[1]}=***", text)
    return re.sub(rf"(?m)^(?!{_NAME}=).+", "***", bare)


def changes(before: str, after: str) -> list[str]:
    """Return the names of the settings in which two environment files differ, in order."""
    old, new = settings(before), settings(after)
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def with_setting(text: str, name: str, value: str) -> str:
    """Return an environment file with a name set to this value: in its place, even if commented out, else at the end."""
    line = f"{name}={quoted(value)}"
    found = re.search(rf"(?m)^{name}=(?:{_QUOTED}|[^\n]*)", text) or re.search(rf"(?m)^#{name}=.*", text)
    if found:
        return text[: found.start()] + line + text[found.end() :]
    kept = f"{text}\n" if text and not text.endswith("\n") else text
    return f"{kept}{line}\n"
