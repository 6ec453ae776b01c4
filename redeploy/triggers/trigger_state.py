"""What is known of the trigger: when it went out, what was answered, and whether it goes out again."""

from dataclasses import dataclass, field

from redeploy.http.response import HttpResult, Response
from redeploy.triggers.retry import Resend, next_try
from redeploy.triggers.trigger import Answer
from redeploy.triggers.watchtower.answer import read_answer
from redeploy.verdicts import Reason


@dataclass(kw_only=True)
class TriggerState:
    """The trigger's part of a watch. Times are monotonic seconds unless they are called wall."""

    answers: list[Answer] = field(default_factory=list)
    answered: float | None = None
    reply: Response | None = None
    """The last one that came from the update URL."""
    triggered: float | None = None
    triggered_wall: float = 0.0
    deadline: float = float("inf")
    forked: bool | None = None
    """Whether the line understands `container=`; None as long as that is not known."""
    not_started: Reason | None = None
    told_reasons: tuple[str, ...] = ()
    """What the check endpoint says of containers that were not updated."""
    resend_at: float | None = None
    given_up: Reason | None = None

    @property
    def answer(self) -> Answer | None:
        """Watchtower's last answer."""
        return self.answers[-1] if self.answers else None

    def take_answer(self, http_result: HttpResult, *, sent: float, at: float) -> None:
        """Take in what the update URL answered, and find out whether the trigger goes out again."""
        answer = read_answer(http_result)
        self.answers.append(answer)
        self.reply = http_result if isinstance(http_result, Response) else self.reply
        self.answered = at
        if answer.again:
            again = next_try(self.answers, now=at, first_sent=self.triggered or sent, deadline=self.deadline)
            self.resend_at = again.at if isinstance(again, Resend) else None
            self.given_up = None if isinstance(again, Resend) else again
