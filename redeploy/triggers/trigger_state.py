"""What is known of the trigger: when it was sent, what came back, and whether it is retried."""

from collections.abc import Callable
from dataclasses import dataclass, field

from redeploy.http.response import HttpResult, Response
from redeploy.triggers.retry import Resend, next_try
from redeploy.triggers.trigger import Answer, Result, Trigger
from redeploy.verdicts import Reason


@dataclass(kw_only=True)
class TriggerState:
    """One trigger, which updates one service or several. Times are monotonic seconds unless they are called wall."""

    kind: Trigger
    """What is triggered, and how its responses are read."""
    answers: list[Answer] = field(default_factory=list)
    answered: float | None = None
    reply: Response | None = None
    """The last one that came from the update URL."""
    triggered: float | None = None
    triggered_wall: float = 0.0
    deadline: float = float("-inf")
    """Until when its response is of use; the latest of its services' deadlines."""
    supported: bool | None = None
    """Whether the update can be narrowed as planned; None as long as that is unknown."""
    not_started: Reason | None = None
    explained: tuple[str, ...] = ()
    """What it says of containers that were not updated."""
    resend_at: float | None = None
    given_up: Reason | None = None

    @property
    def answer(self) -> Answer | None:
        """The last answer."""
        return self.answers[-1] if self.answers else None

    def send(self, now: float, wall: float) -> None:
        """Record that it is sent."""
        self.resend_at = None
        if self.triggered is None:
            self.triggered, self.triggered_wall = now, wall

    def take_answer(self, http_result: HttpResult, *, sent: float, at: float) -> None:
        """Take in the response of the update URL, and find out whether the trigger is retried."""
        answer = self.kind.read(http_result)
        self.answers.append(answer)
        self.reply = http_result if isinstance(http_result, Response) else self.reply
        self.answered = at
        if answer.again:
            again = next_try(self.answers, now=at, first_sent=self.triggered or sent, deadline=self.deadline)
            self.resend_at = again.at if isinstance(again, Resend) else None
            self.given_up = None if isinstance(again, Resend) else again

    def take_support(self, http_result: HttpResult) -> None:
        """Take in whether the update can be narrowed as planned: if not, nothing is triggered."""
        self.supported = self.kind.read_support(http_result)
        if not self.supported:
            self.not_started = Reason.UNSUPPORTED

    def take_explanation(self, http_result: HttpResult, redact: Callable[[str], str]) -> None:
        """Take in why nothing was updated."""
        result = self.answer.result if self.answer else Result.UNKNOWN
        self.explained = self.kind.read_explanation(http_result, result, redact)
