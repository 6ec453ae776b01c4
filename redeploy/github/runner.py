"""The GitHub runner's channel: masks, log, annotations, outputs, summary. All escaping for it lives here.

Sources: actions/runner `ActionCommand.cs` (commands and their escapes), `FileCommandManager.cs` (files),
`ExecutionContext.cs:144` (an annotation is cut at 4,096 characters, ten of a kind are kept).
"""

import json
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO

from redeploy.text.secret import Secret
from redeploy.text.untrusted import one_line

LONGEST_ANNOTATION = 4000
LONGEST_LINE = 1000
SUMMARY_CAP = 1_000_000
"""Bytes; the runner discards a summary with more than 1,048,576."""

_READ_ONLY = os.O_RDONLY
for _name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):  # the first two are missing on Windows, the last one elsewhere
    _READ_ONLY |= getattr(os, _name, 0)


class Runner:
    """Writes what the runner reads. Nothing that contains a secret in any known form leaves here."""

    def __init__(self, environment: Mapping[str, str], stream: TextIO) -> None:
        """Write commands and log to `stream`; files are the ones that `environment` names.

        If `GITHUB_ACTIONS` is not `true`, nothing reads commands: a person gets the same in plain words, without masks, each
        of which would be the secret itself.
        """
        self._environment = environment
        self._heard = environment.get("GITHUB_ACTIONS") == "true"
        self._stream = stream
        self._redact: Callable[[str], str] = str
        self._in_group = False
        self._deaf = False
        self.about = ""
        """The service that the log is about, if several run one after the other; the titles of groups begin with it."""

    @property
    def debugging(self) -> bool:
        """Whether the run shows debug lines."""
        return self._environment.get("RUNNER_DEBUG") == "1"

    def mask(self, hidden: Iterable[Secret], redact: Callable[[str], str]) -> None:
        """Have the runner mask these values, and from now on redact every text; call it before anything else is written.

        `redact` hides no secret that our own words could contain.
        """
        for secret in hidden if self._heard else ():
            self._line(f"::add-mask::{_data(secret.reveal())}")
        self._redact = redact

    def say(self, text: str) -> None:
        """Write lines to the log. Their words are ours; what they quote was made harmless before."""
        for line in text.splitlines():
            harmless = self._redact(line).replace("##[", "# #[")[:LONGEST_LINE]
            self._line(f"> {harmless}" if harmless.lstrip().startswith("::") else harmless)

    def debug(self, text: str) -> None:
        """Write a line that is shown only in debug runs."""
        if self.debugging:
            self._command("debug", one_line(self._redact(text), LONGEST_LINE))

    def open_group(self, title: str) -> None:
        """Begin a foldable part of the log, and end the one before."""
        self.close_group()
        named = f"{self.about}: {title}" if self.about else title
        self._command("group", one_line(self._redact(named)))
        self._in_group = True

    def close_group(self) -> None:
        """End the foldable part, if one is open."""
        if self._in_group and self._heard:
            self._line("::endgroup::")
        self._in_group = False

    def annotate(self, kind: str, title: str, message: str, *, file: str = "", line: int = 0, column: int = 0) -> None:
        """Write an annotation; `kind` is `error`, `warning` or `notice`. Titles are not masked, so they are redacted.

        One about a line of `file`, relative to the workspace, is shown there too.
        """
        self.close_group()
        text = self._redact(message)[:LONGEST_ANNOTATION].replace("##[", "# #[")
        if not self._heard:
            place = f"{one_line(self._redact(file), LONGEST_LINE)}:{line}: " if file else ""
            self._line("\n".join([f"{kind}: {place}{one_line(self._redact(title), 120)}", *text.splitlines()]))
            return
        place = f"file={_property(one_line(self._redact(file), LONGEST_LINE))},line={line}," if file else ""
        place += f"col={column}," if file and column else ""
        self._line(f"::{kind} {place}title={_property(one_line(self._redact(title), 120))}::{_data(text)}")

    def set_outputs(self, outputs: Mapping[str, str]) -> None:
        """Pass the outputs to the next steps, with a delimiter that no value can predict (CVE-2022-35954)."""
        entries = []
        for name, value in outputs.items():
            delimiter = f"redeploy_{secrets.token_hex(16)}"
            text = self._redacted(value)
            room = 2 * len(text) + 1  # a line becomes longer if a command in it is broken up, and no line may be cut
            entries.append(f"{name}<<{delimiter}\n{one_line(text, room)}\n{delimiter}\n")
        self._append("GITHUB_OUTPUT", "".join(entries))

    def write_summary(self, markdown: str) -> None:
        """Add to the job summary."""
        text = self._redact(markdown).encode("utf-8", "replace")
        if len(text) > SUMMARY_CAP:
            text = text[:SUMMARY_CAP] + b"\n\nThe rest was cut off: a summary may have 1 MiB.\n"
        self._append("GITHUB_STEP_SUMMARY", text.decode("utf-8", "ignore"))

    def read_workspace(self, path: str, cap: int) -> str:
        """Return the text of a file; as `workspace_bytes`."""
        return self.workspace_bytes(path, cap).decode("utf-8", "replace")

    def workspace_bytes(self, path: str, cap: int) -> bytes:
        """Return the content of a regular file in the workspace with at most `cap` bytes.

        Raises:
            ValueError: with what is wrong. Links that lead out of the workspace are not followed: the code that was
                checked out may come from anyone.
        """
        workspace = Path(self._environment.get("GITHUB_WORKSPACE") or Path.cwd()).resolve()
        try:
            place = (workspace / path).resolve()
            if not place.is_relative_to(workspace):
                msg = "names a file outside the workspace"
                raise ValueError(msg)
            with os.fdopen(os.open(place, _READ_ONLY), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    msg = "names something that is not a file"
                    raise ValueError(msg)
                content = file.read(cap + 1)
        except RuntimeError as error:  # links that lead in a circle, on Python 3.11 and 3.12
            msg = "names a file that cannot be read (links lead in a circle)"
            raise ValueError(msg) from error
        except OSError as error:
            msg = f"names a file that cannot be read ({os.strerror(error.errno or 0)}); actions/checkout may be missing"
            raise ValueError(msg) from error
        if len(content) > cap:
            msg = f"names a file of more than {cap // 1024 // 1024} MiB"
            raise ValueError(msg)
        return content

    def _redacted(self, value: str) -> str:
        """Redact an output; in a JSON document of ours only the strings, never the structure."""

        def redacted(value: Any) -> Any:  # noqa: ANN401 - a JSON value
            if isinstance(value, dict):
                return {name: redacted(each) for name, each in value.items()}
            if isinstance(value, list):
                return [redacted(each) for each in value]
            return self._redact(value) if isinstance(value, str) else value

        try:
            document = json.loads(value) if value[:1] in ("{", "[") else None
        except ValueError:
            document = None
        if document is None:
            return self._redact(value)
        return json.dumps(redacted(document), ensure_ascii=True, separators=(",", ":"))

    def _append(self, variable: str, text: str) -> None:
        """Append to one of the runner's files; a run without it (a terminal, a broken runner) goes on."""
        path = self._environment.get(variable, "")
        if not path:
            if self._heard:
                self.say(f"{variable} is not set, so nothing was written there.")
            return
        try:
            _append_whole(Path(path), text.encode("utf-8", "replace"))
        except OSError as error:
            self.annotate(
                "warning", "Nothing written", f"{variable} cannot be written: {os.strerror(error.errno or 0)}"
            )

    def _command(self, name: str, text: str) -> None:
        """Write a command of the runner's, or its text if nothing reads commands."""
        self._line(f"::{name}::{_data(text)}" if self._heard else text)

    def _line(self, text: str) -> None:
        if self._deaf:
            return
        try:
            self._stream.write(text.encode("utf-8", "replace").decode() + "\n")
            self._stream.flush()
        except (
            OSError,
            ValueError,
        ):  # nothing reads the log any more, so this cannot be reported; the files can still be written
            self._deaf = True


def _append_whole(path: Path, content: bytes) -> None:
    """Append a whole text to a file, or nothing: half an entry would make the runner reject the whole file.

    Raises:
        OSError: if it cannot be written; the file is unchanged then.
    """
    with path.open("a+b", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        if size and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n":
            content = b"\n" + content  # an earlier writer did not end the line
        left = memoryview(content)
        try:
            while left:
                left = left[file.write(left) or 0 :]
        except OSError:
            file.truncate(size)
            raise


def _data(text: str) -> str:
    """Escape the data of a command; `%` first, or it would be escaped twice."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escape a property of a command."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
