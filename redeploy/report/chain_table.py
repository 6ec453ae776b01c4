"""A chain as the job summary: the remedies first, then the chain as a picture and as a table."""

from itertools import pairwise

from redeploy.remedies.remedy import guide
from redeploy.report.chain import TITLES, Chain, Check, LinkResult, State
from redeploy.text.markdown import inline, table

SIGNS = {State.OK: "✅", State.WARNING: "⚠️", State.BROKEN: "❌", State.NOT_REACHED: "⚪"}

_COLOURS = {State.OK: "#2da44e", State.WARNING: "#bf8700", State.BROKEN: "#cf222e", State.NOT_REACHED: "#818b98"}
"""GitHub's own colours, which are distinct in dark and in light mode."""

_SPACING = '%%{init: {"flowchart": {"nodeSpacing": 16, "rankSpacing": 16, "padding": 8}}}%%'
"""The chain is long, and GitHub shrinks what is wider than its page."""

_WAY = (Check.INPUTS, Check.DNS, Check.CONNECTION, Check.TLS, Check.FRONT)
_BRANCHES = (
    (Check.LOCATION, Check.TOKEN, Check.CONTAINERS, Check.UPDATE),
    (Check.HEALTH, Check.VERSION, Check.OPENAPI),
)
_ASIDE = ((Check.REGISTRY, Check.UPDATE), (Check.INPUTS, Check.GITHUB))
"""Other connections, besides the two branches."""


def headline(chain: Chain) -> str:
    """Return the examination in a few words."""
    wrong, weak = chain.those(State.BROKEN), chain.those(State.WARNING)
    if wrong:
        first = wrong[0].remedy
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        return f"{TITLES[wrong[0].link]}: {first.headline if first else wrong[0].seen}{more}"
    counted = "" if not weak else ", with a warning" if len(weak) == 1 else f", with {len(weak)} warnings"
    return f"A deploy would get through{counted}"


def observed(chain: Chain, found: LinkResult) -> str:
    """Return what was seen of a link with a finding, and which links could not be checked because of it."""
    seen = f"{found.seen[:1].upper()}{found.seen[1:]}."
    return f"{seen} {hidden(chain, found)}".rstrip()


def hidden(chain: Chain, found: LinkResult) -> str:
    """Say which links could not be checked because of this one; empty if all could."""
    names = [TITLES[each] for each in chain.hidden_by(found.link)]
    return f"Not checked because of this: {', '.join(names)}." if names else ""


def checklist(chain: Chain) -> list[str]:
    """Return the lines of the page: the broken links with their remedies, the picture, all links, the warnings."""
    lines: list[str] = []
    wrong = chain.those(State.BROKEN)
    for each in wrong:
        lines += _remedy(chain, each, titled=len(wrong) > 1)  # a single one is the page's own title
    lines += ["### The chain", "", *picture(chain)]
    rows = ((SIGNS[each.state], TITLES[each.link], inline(each.seen)) for each in chain.links)
    lines += table(("", "Check", "What was seen"), rows)
    for each in chain.those(State.WARNING):
        lines += _remedy(chain, each)
    return lines


def picture(chain: Chain) -> list[str]:
    """Return the chain as a mermaid diagram. All its words are our own: a diagram cannot quote text from outside."""
    states = {each.link: each.state for each in chain.links}
    pairs = [*pairwise(_WAY)]
    for branch in _BRANCHES:
        pairs += pairwise((_WAY[-1], *branch))
    pairs += _ASIDE
    drawn = [(one, other) for one, other in pairs if one in states and other in states]
    lines = ["```mermaid", _SPACING, "flowchart LR"]
    lines += [f'  {link.value}["{SIGNS[state]} {TITLES[link]}"]:::{_word(state)}' for link, state in states.items()]
    lines += [f"  {one.value} --> {other.value}" for one, other in drawn]
    lines += [f"  classDef {_word(state)} stroke:{colour},stroke-width:2px" for state, colour in _COLOURS.items()]
    return [*lines, "```", ""]


def _word(state: State) -> str:
    return state.value.replace("-", "")


def _remedy(chain: Chain, found: LinkResult, *, titled: bool = True) -> list[str]:
    remedy = found.remedy
    if remedy is None or found.finding is None:
        return []
    lines = [f"### {SIGNS[found.state]} {TITLES[found.link]}: {remedy.headline}", ""] if titled else []
    lines += [f"**What was seen.** {inline(observed(chain, found))}", ""]
    lines += [f"**Likely cause.** {remedy.cause}", "", f"**Fix.** {remedy.fix}", ""]
    return [*lines, f"[More on `{found.finding}`]({guide(found.finding)})", ""]
