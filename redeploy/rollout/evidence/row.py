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
"""The order of their sentences. One that needs a closing request needs it only if none before it shows the build."""
