"""All kinds of evidence, in one row, the strongest first."""

from redeploy.rollout.evidence.claim import Claim
from redeploy.rollout.evidence.contract import ContractChange
from redeploy.rollout.evidence.digests import DeclaredDigest, RunningDigest, UnchangedTag
from redeploy.rollout.evidence.in_samples import BuildNames, DeclaredVersion, ProcessStart
from redeploy.rollout.evidence.kind import Evidence

KINDS: tuple[type[Evidence], ...] = (
    DeclaredDigest,
    UnchangedTag,
    DeclaredVersion,
    RunningDigest,
    BuildNames,
    ContractChange,
    ProcessStart,
    Claim,
)
"""Also the order of their sentences. A closing request is needed only if no kind before it shows the build."""
