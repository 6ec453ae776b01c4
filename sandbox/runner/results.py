"""The results of a step as GitHub reads them: outputs, summary, annotations, and all breaches of the runner's rules."""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.runner.commands import Annotation, MalformedFileError, pairs
from sandbox.runner.log import StepLog
from sandbox.runner.masks import Masker, leaked

SUMMARY_LIMIT = 1 << 20


@dataclass(frozen=True)
class Run:
    """The results of a step, as the run page and later steps see them. `log` and `summary` are masked."""

    exit_code: int
    outputs: Mapping[str, str]
    annotations: tuple[Annotation, ...]
    summary: str
    log: str
    seconds: float
    problems: tuple[str, ...]
    """Breaches of the runner's rules; a correct run has none."""

    def messages(self, level: str) -> list[str]:
        """Return the messages of the annotations of a level."""
        return [one.message for one in self.annotations if one.level == level]


@dataclass(frozen=True)
class Reading:
    """The files of a finished step, and the secrets that its runner knows."""

    declared: Iterable[str]
    files: Mapping[str, Path]
    masker: Masker
    secrets: Sequence[str]

    def judge(self, log: StepLog, exit_code: int, seconds: float) -> Run:
        """Return the run with all breaches, including those of its log."""
        outputs, problems = self._outputs()
        summary, more = self._summary()
        problems = [*log.problems, *problems, *more, *_of_the_end(log.annotations, exit_code)]
        problems += [f"{name} was written" for name in ("GITHUB_ENV", "GITHUB_PATH") if self.files[name].stat().st_size]
        text = "\n".join(log.lines)
        texts = {"the log": text, "the summary": summary, "the summary, as it is shown": _shown(summary)}
        texts |= {f"the output {name}": value for name, value in outputs.items()}
        texts |= {f"the title {one.title!r}": f"{one.title} {one.file}" for one in log.annotations}
        for number, secret in enumerate(self.secrets):
            found = ((where, leaked(shown, secret)) for where, shown in texts.items())
            problems += [f"secret {number} in {where}, {form}" for where, form in found if form]
        masked = "\n".join(self.masker.mask(line) for line in summary.split("\n"))
        return Run(exit_code, outputs, tuple(log.annotations), masked, text, seconds, tuple(problems))

    def _outputs(self) -> tuple[dict[str, str], list[str]]:
        outputs: dict[str, str] = {}
        problems: list[str] = []
        text = self.files["GITHUB_OUTPUT"].read_bytes().decode("utf-8", "replace")
        try:
            for name, value in pairs(text):
                if name in outputs:
                    problems.append(f"the output {name} was set twice")
                outputs[name] = value
        except MalformedFileError as malformed:
            problems.append(f"GITHUB_OUTPUT: {malformed}")
        if text and not text.endswith("\n"):
            problems.append("GITHUB_OUTPUT does not end with a line feed")
        declared = set(self.declared)
        problems += [f"the output {name} was not set" for name in sorted(declared - set(outputs))]
        problems += [f"the output {name} is not declared" for name in sorted(set(outputs) - declared)]
        for name, value in outputs.items():
            if self.masker.mask(value) != value:
                problems.append(f"GitHub would drop the output {name}, for it contains a mask")
            if re.search(r"[\r\n]", value):
                problems.append(f"the output {name} has several lines")
        return outputs, problems

    def _summary(self) -> tuple[str, list[str]]:
        data = self.files["GITHUB_STEP_SUMMARY"].read_bytes()
        too_long = len(data) > SUMMARY_LIMIT
        problems = [f"a summary of {len(data)} bytes, which GitHub drops whole"] if too_long else []
        try:
            return data.decode(), problems
        except UnicodeDecodeError:
            return data.decode(errors="replace"), [*problems, "a summary that is no UTF-8"]


def _shown(markdown: str) -> str:
    """The text that a reader can copy from rendered Markdown: without entities and zero-width characters."""
    return html.unescape(markdown).replace("\u200b", "")


def _of_the_end(annotations: Iterable[Annotation], exit_code: int) -> list[str]:
    errors = any(one.level == "error" for one in annotations)
    if exit_code and not errors:
        return [f"exit code {exit_code} without an error annotation"]
    if errors and not exit_code:
        return ["an error annotation, and exit code 0"]
    return []
