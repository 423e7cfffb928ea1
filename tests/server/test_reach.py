from dataclasses import replace
from pathlib import Path

from tertulia.server import Config, Endpoint, WebRules
from tertulia.server.reach import find_reach

CONFIG = Config(Path("x"))


def test_addresses_become_urls() -> None:
    reach = find_reach(CONFIG, 8000, ["192.0.2.1", "2001:db8::1"])
    assert reach.url == "https://192.0.2.1:8000"
    assert reach.others == ("https://[2001:db8::1]:8000",)
    assert reach.is_for_others


def test_what_the_operator_named_comes_first() -> None:
    web = WebRules(names=("chat.example",), origins=("https://app.example",))
    reach = find_reach(replace(CONFIG, web=web, http=True), 80, ["192.0.2.1"])
    assert reach.url == "https://app.example"
    assert reach.others == ("http://chat.example", "http://192.0.2.1")


def test_without_addresses_only_this_machine_can_reach_it() -> None:
    reach = find_reach(CONFIG, 443, [])
    assert (reach.url, reach.is_for_others) == ("https://127.0.0.1", False)
    here = replace(CONFIG, listen=Endpoint("::1", 1))
    assert find_reach(here, 1, []).url == "https://[::1]:1"
