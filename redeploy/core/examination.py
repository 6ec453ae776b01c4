"""What doctor asks, and in which order: every question follows from what is known by then, and none changes anything."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from redeploy.core.answer import Result, read_answer
from redeploy.core.digests import Row, Wanted, rows_of, rows_that_count
from redeploy.core.errand import Trouble
from redeploy.core.hostile import code
from redeploy.core.image import Image, parse
from redeploy.core.manifest import Manifest
from redeploy.core.plan import Plan, origin_of
from redeploy.core.product import FORK, Product, product_of, refuses
from redeploy.core.sample import Condition, condition_of
from redeploy.core.way import Way
from redeploy.http.response import Exchange, Fault, NoReply, Reply

MOST_IMAGES = 5
"""Images that are looked up."""


@dataclass(frozen=True)
class FindWay:
    """How far does one get to this origin?"""

    origin: str


class Request(StrEnum):
    """The requests. Only those from `CONTAINERS` to `IDLE_UPDATE` carry the token."""

    GET_UPDATE = "GET of the update URL without a token"
    POST_UPDATE = "POST of the update URL without a token"
    CONTAINERS = "GET of the containers endpoint"
    CHECK = "POST of the check endpoint"
    METRICS = "GET of the metrics endpoint"
    IDLE_UPDATE = "POST of the update URL, narrowed to an image that nobody has"
    HEALTH = "GET of the health address"
    HEALTH_AGAIN = "GET of the health address once more"
    HEALTH_FRESH = "GET of the health address, past caches"
    VERSION = "GET of the version address"
    VERSION_AGAIN = "GET of the version address once more"
    VERSION_FRESH = "GET of the version address, past caches"
    DOCUMENT = "GET of the OpenAPI document"
    DOCUMENT_FRESH = "GET of the OpenAPI document, past caches"


HEALTH = (Request.HEALTH, Request.HEALTH_AGAIN, Request.HEALTH_FRESH)
VERSION = (Request.VERSION, Request.VERSION_AGAIN, Request.VERSION_FRESH)


@dataclass(frozen=True)
class LookUp:
    """What does the registry have under this tag?"""

    image: Image


@dataclass(frozen=True)
class ReadCommit:
    """Which commit does an image name in its label?"""

    image: Image
    manifest: Manifest
    """What the registry has under its tag."""


@dataclass(frozen=True)
class AskGitHub:
    """May this token see the environment's Deployments?"""


Question = FindWay | Request | LookUp | ReadCommit | AskGitHub


@dataclass(frozen=True)
class Answered:
    """An answer: a way, an exchange, a manifest, a commit, or what went wrong; None where nothing did or none came."""

    answer: object
    wall: float
    """Our clock when it came, in seconds since 1970."""


@dataclass(frozen=True)
class Known:
    """What is known by now."""

    plan: Plan
    answers: Mapping[Question, Answered] = field(default_factory=dict)
    redact: Callable[[str], str] = str

    def way(self, url: str) -> Way | None:
        """Return the way to the origin of a URL."""
        found = self.answers.get(FindWay(origin_of(url)))
        return found.answer if found and isinstance(found.answer, Way) else None

    def passable(self, url: str) -> bool:
        """Tell whether the way to a URL is there to its end."""
        way = self.way(url)
        return way is not None and way.fault is None

    def shown(self, text: str, limit: int = 80) -> str:
        """Return a text from outside as code, without secrets."""
        return code(self.redact(text), limit)

    def exchange(self, request: Request) -> Exchange | None:
        """Return what came of a request; None where it was not sent."""
        found = self.answers.get(request)
        return found.answer if found and isinstance(found.answer, Reply | NoReply) else None

    @property
    def product(self) -> Product | None:
        """Which Watchtower it is, if it is one."""
        return product_of(self.exchange(Request.GET_UPDATE), self.exchange(Request.POST_UPDATE))

    @property
    def rows(self) -> list[Row] | None:
        """The containers that Watchtower watches; None where it does not tell them."""
        told = map(_rows, map(self.exchange, (Request.CONTAINERS, Request.CHECK)))
        return next((each for each in told if each is not None), None)

    @property
    def counted(self) -> list[Row]:
        """Those of them that the inputs mean; where these name none, the only one."""
        tower = self.plan.watchtower
        wanted = Wanted(containers=tower.containers, images=tower.images, digest=self.plan.expect_digest)
        return rows_that_count(self.rows or [], wanted)

    @property
    def meant(self) -> tuple[Image, ...]:
        """The images that are looked up: the one that is named, else those of the containers that count."""
        if self.plan.image is not None:
            return (self.plan.image,)
        found = dict.fromkeys(each.image for each in self.counted if each.image)
        return tuple(filter(None, map(_image, list(found)[:MOST_IMAGES])))

    @property
    def commit_question(self) -> ReadCommit | None:
        """What tells the version that is expected, where the image says it and the registry has told the image."""
        image = self.plan.image if self.plan.version_of_image else None
        looked = self.answers.get(LookUp(image)) if image is not None else None
        if image is None or looked is None or not isinstance(looked.answer, Manifest):
            return None
        return ReadCommit(image, looked.answer)

    @property
    def expected_version(self) -> str:
        """The version that a deploy would have to bring: the declared one, or the commit that the image names."""
        question = self.commit_question
        found = self.answers.get(question) if question else None
        return found.answer if found and isinstance(found.answer, str) else self.plan.expect_version

    @property
    def token_is_right(self) -> bool | None:
        """Whether the token is right; None where nothing says so."""
        metrics, idle = self.exchange(Request.METRICS), self.exchange(Request.IDLE_UPDATE)
        counted = isinstance(metrics, Reply) and metrics.status == 200 and "watchtower_" in metrics.text
        answer = read_answer(idle) if idle is not None else None
        taken = answer is not None and not answer.lost and answer.result is not Result.NONE
        if self.rows is not None or counted or taken:
            return True
        asked = (Request.CONTAINERS, Request.CHECK, Request.METRICS, Request.IDLE_UPDATE)
        refusals = list(filter(refuses, map(self.exchange, asked)))
        if self.product is FORK:  # which says so in words; an empty 401 is somebody else's
            refusals = [each for each in refusals if isinstance(each, Reply) and each.body]
        return False if refusals else None


def late(question: Question) -> object:
    """Return the answer to a question that was not answered in time."""
    match question:
        case FindWay():
            return Way(origin=question.origin, fault=Fault.UNRESOLVED, detail="the resolver did not answer in time")
        case Request():
            return NoReply(Fault.TIMED_OUT)
        case AskGitHub():
            return Trouble(message="no answer in time")
        case _:
            return None


def next_questions(known: Known) -> tuple[Question, ...]:
    """Return what is to be asked now, side by side; nothing where all is known that can be."""
    wanted = (*_of_the_way(known), *_of_watchtower(known), *_of_the_service(known), *_of_others(known))
    return tuple(dict.fromkeys(each for each in wanted if each not in known.answers))


def urls_of(plan: Plan) -> tuple[str, ...]:
    """Return the URLs that the chain leads to, Watchtower's first."""
    service, tower = plan.service, plan.watchtower
    found = (tower.update_url, tower.containers_url, service.health_url, service.version_url, plan.checks.document_url)
    return tuple(each for each in found if each)


def _of_the_way(known: Known) -> list[Question]:
    return [FindWay(origin) for origin in dict.fromkeys(map(origin_of, urls_of(known.plan)))]


def _of_watchtower(known: Known) -> list[Question]:
    tower = known.plan.watchtower
    if not tower.update_url or not known.passable(tower.update_url):
        return []
    without_token: list[Question] = [Request.GET_UPDATE, Request.POST_UPDATE]
    if any(each not in known.answers for each in without_token):
        return without_token
    if known.product is None or known.product.hides_refusals:
        return []
    reading: list[Question] = []
    if tower.containers_url and known.passable(tower.containers_url):
        reading.append(Request.CONTAINERS)
    reading += [Request.CHECK] if tower.check_url else []
    if any(each not in known.answers for each in reading):
        return reading
    if known.token_is_right is None and tower.metrics_url and Request.METRICS not in known.answers:
        return [Request.METRICS]
    return [Request.IDLE_UPDATE] if known.token_is_right is None and known.product.narrows else []


def _of_the_service(known: Known) -> list[Question]:
    service, document = known.plan.service, known.plan.checks.document_url
    apart = service.version_url != service.health_url
    found: list[Question] = []
    for (first, again, fresh), url in ((HEALTH, service.health_url), (VERSION, service.version_url if apart else "")):
        if url and known.passable(url):
            found += _looks(known, first, again, fresh)
    if document and known.passable(document):
        found += _looks(known, Request.DOCUMENT, None, Request.DOCUMENT_FRESH)
    return found


def _looks(known: Known, first: Request, again: Request | None, fresh: Request) -> list[Question]:
    """Return the first look or, once it is answered, the second: past caches where one has answered."""
    answer = known.exchange(first)
    if not isinstance(answer, Reply):
        return [first]
    if condition_of(answer)[0] is Condition.CACHED:
        return [fresh]
    return [again] if again else []


def _of_others(known: Known) -> list[Question]:
    found: list[Question] = [LookUp(image) for image in known.meant]
    found += [known.commit_question] if known.commit_question else []
    return found + ([AskGitHub()] if known.plan.deployment_environment else [])


def _rows(exchange: Exchange | None) -> list[Row] | None:
    return rows_of(exchange.json) if isinstance(exchange, Reply) and exchange.status == 200 else None


def _image(reference: str) -> Image | None:
    try:
        return parse(reference)
    except ValueError:
        return None
