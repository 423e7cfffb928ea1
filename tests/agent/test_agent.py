import inspect
from typing import Any

import pytest

from tertulia.agent.agent import Agent
from tertulia.agent.local_agent import LocalAgent
from tertulia.agent.profile import ProfileAgent
from tertulia.agent.remote_agent import RemoteAgent

MEMBERS = [name for name in vars(Agent) if not name.startswith("_")]


def parameters(kind: type, name: str) -> Any:
    """Return what a member is called with, None for one that is not called."""
    member = inspect.getattr_static(kind, name)
    if isinstance(member, property):
        return None
    return list(inspect.signature(member).parameters.values())


@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.parametrize("kind", [LocalAgent, RemoteAgent, ProfileAgent])
def test_faces_use_every_agent_alike(kind: type, name: str) -> None:
    assert parameters(kind, name) == parameters(Agent, name)
