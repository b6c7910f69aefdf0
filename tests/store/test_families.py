"""What holds for a family of refresh tokens, whatever happens to it in whatever order."""

from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authserver.protocol.errors import InvalidGrant

from .scene import EVENT, WINDOW, Scene, heads, let_pass, refresh_token


@dataclass
class Model:
    """What ought to happen: all tokens in their order, and when each was rotated."""

    tokens: list[str]
    rotated_at: list[int] = field(default_factory=list)
    now: int = 0
    ended: bool = False

    @property
    def head(self) -> int:
        return len(self.rotated_at)

    def answer_to(self, index: int) -> int | None:
        """The index of the token that presenting the one at *index* gives, None if it is refused."""
        if self.ended:
            return None
        if index == self.head:
            self.rotated_at.append(self.now)
            return index + 1
        if self.now - self.rotated_at[index] > WINDOW:
            self.ended = True
            return None
        return index + 1 if index + 1 == self.head else None


def present(scene: Scene, model: Model, back: int) -> None:
    index = max(0, model.head - back)
    expected = model.answer_to(index)
    try:
        got = refresh_token(scene.refresh(model.tokens[index]))
    except InvalidGrant:
        assert expected is None
        return
    assert expected is not None
    if expected == len(model.tokens):
        model.tokens.append(got)
    assert model.tokens[expected] == got


def wait(scene: Scene, model: Model, seconds: int) -> None:
    let_pass(scene.stores.database, seconds)
    model.now += seconds


def revoke(scene: Scene, model: Model, nothing: int) -> None:
    family_id = model.tokens[0].rpartition(".")[2]
    assert scene.stores.refresh_tokens.revoke_family(family_id, EVENT) is not model.ended
    model.ended = True


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just(present), st.integers(0, 3)),
        st.tuples(st.just(present), st.integers(0, 1)),
        # Not around the window's edge, where the seconds that tick meanwhile decide.
        st.tuples(st.just(wait), st.sampled_from([1, 120, WINDOW + 5])),
        st.tuples(st.just(revoke), st.just(0)),
    ),
    max_size=12,
)


@pytest.mark.requirement("TK-3", "TK-4", "TK-5")
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_any_order_of_presenting_waiting_and_revoking_ends_as_the_rules_say(scene: Scene, steps):
    before = len(heads(scene.stores.database))
    model = Model([scene.first_token()])
    for step, argument in steps:
        step(scene, model, argument)
        assert len(heads(scene.stores.database)) == before + 1
