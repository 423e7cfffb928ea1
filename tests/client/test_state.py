from tertulia.wire import account_id
from tests.client.world import World


def test_a_session_knows_its_account() -> None:
    session = World().person("Ana").session
    assert session.account == account_id(session.profile.account_public)
