"""What doctor knows so far: the answers to its questions, and what follows from them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from redeploy.doctor.network import Reachability
from redeploy.doctor.questions import (
    CHECK,
    CONTAINERS,
    WITH_TOKEN,
    WITHOUT_TOKEN,
    Answered,
    Connect,
    OfWatchtower,
    Question,
)
from redeploy.http.response import HttpResult, Response, TransportError
from redeploy.http.urls import origin_of
from redeploy.registry.errors import Trouble
from redeploy.registry.image import Image, parse
from redeploy.registry.lookup import FromRegistry
from redeploy.registry.manifest import Manifest
from redeploy.remedies.subject import Subject, subject_of
from redeploy.rollout.requests import FetchRevision, FetchTag
from redeploy.settings.plan import Plan
from redeploy.text.untrusted import code
from redeploy.triggers.trigger import Result
from redeploy.triggers.watchtower.answer import read_answer
from redeploy.triggers.watchtower.container_rows import Checked, Held, checked_in, held_in, is_pinned
from redeploy.triggers.watchtower.containers import RunningContainer, rows_of, rows_that_count
from redeploy.triggers.watchtower.endpoints import ContainerFilter
from redeploy.triggers.watchtower.variant import FORK, Product, product_of, refuses

MOST_IMAGES = 5
"""Images to look up."""


@dataclass(frozen=True)
class Known:
    """What doctor knows so far."""

    plan: Plan
    answers: Mapping[Question, Answered] = field(default_factory=dict)
    redact: Callable[[str], str] = str
    now: float = 0.0
    """Our clock, in seconds since 1970."""

    def way(self, url: str) -> Reachability | None:
        """Return the way to the origin of a URL."""
        found = self.answers.get(Connect(origin_of(url)))
        return found.answer if found and isinstance(found.answer, Reachability) else None

    def is_reachable(self, url: str) -> bool:
        """Return whether the way to a URL is free of errors."""
        way = self.way(url)
        return way is not None and way.error_kind is None

    def shown(self, text: str, limit: int = 80) -> str:
        """Return a text from outside as code, without secrets."""
        return code(self.redact(text), limit)

    def http_result(self, question: Question) -> HttpResult | None:
        """Return the result of a request; None if it was not sent."""
        found = self.answers.get(question)
        return found.answer if found and isinstance(found.answer, Response | TransportError) else None

    def from_registry(self, request: FetchTag | FetchRevision) -> Manifest | Trouble | str | None:
        """Return what the registry has; None if it was not asked, or did not respond in time."""
        found = self.http_result(request)
        return found.found if isinstance(found, FromRegistry) else None

    def subject_at(self, url: str, *, blames_service: bool = False) -> Subject:
        """Return the subject of a remedy: this run, and the host of a URL."""
        names = [each.name for each in self.counted]
        container = self.redact(names[0]) if len(names) == 1 else ""
        return subject_of(self.plan, blames_service=blames_service, container=container).at(url)

    @property
    def product(self) -> Product | None:
        """Which Watchtower responds; None if none does."""
        return product_of(self.http_result(WITHOUT_TOKEN), self.http_result(OfWatchtower.NOWHERE))

    @property
    def running(self) -> list[RunningContainer] | None:
        """The containers as a deploy sees them, by the containers endpoint alone; None if that does not list them."""
        return _rows(self.http_result(CONTAINERS))

    @property
    def watched(self) -> list[RunningContainer] | None:
        """The containers that Watchtower watches, from either endpoint; None if neither lists them."""
        return self.running if self.running is not None else _rows(self.http_result(CHECK))

    @property
    def counted(self) -> list[RunningContainer]:
        """The watched containers that the inputs mean; if these name none, the only one."""
        return rows_that_count(self.watched or [], self._filter)

    @property
    def digests(self) -> list[str]:
        """The digests that the containers endpoint reports of the containers that count."""
        rows = rows_that_count(self.running or [], self._filter)
        digests = (each.without_secrets(self.redact).digest for each in rows)
        return list(dict.fromkeys(filter(None, digests)))

    @property
    def checked(self) -> list[Checked]:
        """What the check endpoint says of the containers that count; of all containers if the inputs mean none."""
        found = checked_in(self.http_result(CHECK), self.redact)
        counted = {each.name for each in self.counted}
        return [each for each in found if each.row.name in counted] if counted else found

    @property
    def held(self) -> Held:
        """The containers that Watchtower does not update, as far as it reports them."""
        return held_in(self.http_result(OfWatchtower.DETAILS))

    @property
    def meant(self) -> tuple[Image, ...]:
        """The images that the registry must have: the one that is named, else those of the containers that count."""
        if self.plan.image is not None:
            return (self.plan.image,)
        return _images(self.counted)

    @property
    def compared(self) -> tuple[Image, ...]:
        """Further images to look up: those for which the check endpoint may be wrong.

        It makes its own requests to the registry, only over https and only for some types of manifest.
        """
        doubtful = [each.row for each in self.checked if each.error or each.available]
        return tuple(each for each in _images(doubtful) if each not in self.meant)

    def manifest(self, row: RunningContainer) -> Manifest | None:
        """Return the registry's manifest of the image that a container was created with; None if it is not known."""
        image = _image(row.image)
        looked = [each for each in self.answers if isinstance(each, FetchTag)]
        found = (self.from_registry(each) for each in looked if image and each.image and each.image.same_as(image))
        return next((each for each in found if isinstance(each, Manifest)), None)

    @property
    def _filter(self) -> ContainerFilter:
        return self.plan.rows_that_count

    @property
    def commit_question(self) -> FetchRevision | None:
        """The question for the expected version, if the image names it and the registry has returned the manifest."""
        image = self.plan.image if self.plan.version_of_image else None
        manifest = self.from_registry(FetchTag(image=image)) if image is not None else None
        return FetchRevision(manifest) if isinstance(manifest, Manifest) else None

    @property
    def expected_version(self) -> str:
        """The version that a deploy would have to put live: the declared one, or the commit that the image names."""
        question = self.commit_question
        found = self.from_registry(question) if question else None
        return self.redact(found) if isinstance(found, str) else self.plan.expect_version

    @property
    def token_is_right(self) -> bool | None:
        """Whether the token is right; None if that is not known."""
        metrics, idle = self.http_result(OfWatchtower.METRICS), self.http_result(OfWatchtower.IDLE_UPDATE)
        counted = isinstance(metrics, Response) and metrics.status == 200 and "watchtower_" in metrics.text
        answer = read_answer(idle) if idle is not None else None
        taken = answer is not None and not answer.lost and answer.result is not Result.NONE
        if self.watched is not None or counted or taken:
            return True
        refusals = list(filter(refuses, map(self.http_result, WITH_TOKEN)))
        if self.product is FORK:  # its refusal has a body; an empty 401 comes from something else
            refusals = [each for each in refusals if isinstance(each, Response) and each.body]
        return False if refusals else None


def urls_of(plan: Plan) -> tuple[str, ...]:
    """Return the URLs that the chain leads to, Watchtower's first."""
    service, tower = plan.service, plan.watchtower
    found = (tower.update_url, tower.containers_url, service.health_url, service.version_url, plan.checks.document_url)
    return tuple(each for each in found if each)


def _rows(http_result: HttpResult | None) -> list[RunningContainer] | None:
    return rows_of(http_result.json) if isinstance(http_result, Response) and http_result.status == 200 else None


def _images(rows: Sequence[RunningContainer]) -> tuple[Image, ...]:
    """Return the images that containers were created with, `MOST_IMAGES` of them; none that is pinned by its digest."""
    found = dict.fromkeys(each.image for each in rows if each.image and not is_pinned(each.image))
    return tuple(filter(None, map(_image, list(found)[:MOST_IMAGES])))


def _image(reference: str) -> Image | None:
    try:
        return parse(reference)
    except ValueError:
        return None
