"""A new build goes live through the shipped compose file and nginx, on a real engine."""

from sandbox.builds import V1, V2
from tests.e2e.conftest import Action
from tests.e2e.stack import Stack


def test_a_new_build_is_proven_live(stack: Stack, action: Action) -> None:
    before = stack.serve(V1)
    after = stack.push(V2)
    run = action(stack, ("deployed", ""), expect_version=V2.git_sha)
    assert stack.runs(after)
    assert (run.outputs["version"], run.outputs["previous-version"]) == (V2.git_sha, V1.git_sha)
    assert (run.outputs["digest"], run.outputs["previous-digest"]) == (after.digest, before.digest)
