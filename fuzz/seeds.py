"""Write the seeds of all targets into a folder, one folder for each target.

Those of `decoding` are one folder deeper, by decoder.

python -m fuzz.seeds FOLDER
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fuzz.room import (
    ANYONE,
    REFERENCE,
    Room,
    chosen_suite,
    new_key_package,
    new_room,
    seeded_rng,
)
from fuzz.targets import DECODERS, chosen_decoder
from tertulia.codec import encode_opaque
from tertulia.mls import (
    PUBLIC,
    Add,
    CommitPlan,
    ExternalInit,
    GroupContextExtensions,
    Proposal,
    PublicMessage,
    ReInit,
    Remove,
    TreePatch,
    commit,
    encode_message,
    make_group_info,
    propose_update,
)
from tertulia.mls.framing import CommitContent, ProposalContent
from tertulia.mls.state import save_epoch, save_key_package, save_traffic
from tertulia.mls.tree_patch import ChangedNode
from tertulia.mls.welcome import open_group_secrets

VECTORS = Path(__file__).resolve().parent.parent / "vectors" / "mls"
KEPT = VECTORS.parent / "fuzz"
LARGEST_SEED = 8 * 1024


def seeds(room: Room) -> dict[str, list[bytes]]:
    """Return the seeds of each target.

    The vectors are of cipher suite 1; to a room of another one they are strangers.
    """
    messages = [data for data in _vector_bytes() if len(data) <= LARGEST_SEED]
    made = {
        "decoding": [*(b"\0" + data for data in messages[::4]), *_encoded(room)],
        "receiving": [*_messages(room), *messages[::4]],
        "cheating": list(_contents(room)),
        "joining": [room.ana.tree.encode(), room.ben.tree.encode()],
    }
    return {target: [*found, *_kept(target)] for target, found in made.items()}


def _kept(target: str) -> Iterator[bytes]:
    """Yield what campaigns found that led to other code than all before."""
    document: Any = json.loads((KEPT / f"{target}.json").read_text())
    yield from map(bytes.fromhex, document["seeds"])


def _vector_bytes() -> Iterator[bytes]:
    for path in sorted(VECTORS.glob("*.json")):
        document: Any = json.loads(path.read_text())
        for case in document["cases"]:
            yield bytes.fromhex(case["invalid"])
            yield bytes.fromhex(case["valid"])


def _messages(room: Room) -> Iterator[bytes]:
    rng = seeded_rng("seeds")
    quiet = room.ana
    for plan in (CommitPlan(references=[REFERENCE]), CommitPlan(framing=PUBLIC)):
        yield encode_message(commit(quiet, plan, ANYONE, rng).message)
    _, proposal = propose_update(quiet, rng)
    yield encode_message(proposal)


def _encoded(room: Room) -> Iterator[bytes]:
    """Yield something for each decoder but that of messages."""
    rng = seeded_rng("encoded")
    ana, joining = room.ana, new_key_package(room.suite, "Dora", rng)
    made = commit(ana, CommitPlan([Add(joining.key_package)]), ANYONE, rng)
    public = commit(ana, CommitPlan(framing=PUBLIC), ANYONE, rng).message
    if made.welcome is None or not isinstance(public, PublicMessage):
        raise ValueError("not the messages that the plans ask for")
    content = public.content
    if not isinstance(content.content, CommitContent):
        raise TypeError(content.content)
    rows = b"".join(
        encode_opaque(key) + encode_opaque(row)
        for key, row in save_traffic(room.ben.traffic).items()
    )
    numbers = tuple(DECODERS)
    patch = TreePatch(4, (ChangedNode(0, ana.leaf),))
    yield from (
        bytes((numbers.index(decoder),)) + encoded
        for decoder, encoded in {
            "tree": ana.tree.encode(),
            "saved-epoch": save_epoch(room.ben.epoch),
            "saved-rows": rows,
            "saved-key-package": save_key_package(joining),
            "KeyPackage": joining.key_package.encode(),
            "GroupInfo": make_group_info(ana).encode(),
            "GroupContext": ana.context.encode(),
            "LeafNode": ana.leaf.encode(),
            "Commit": content.content.commit.encode(),
            "Welcome": made.welcome.encode(),
            "GroupSecrets": open_group_secrets(made.welcome, joining).encode(),
            "FramedContent": content.encode(),
            "tree-patch": patch.encode(),
        }.items()
    )


def _contents(room: Room) -> Iterator[bytes]:
    rng = seeded_rng("contents")
    proposals: list[Proposal] = [
        Add(room.joining.key_package),
        Remove(2),
        ReInit(b"next", 1, 1, ()),
        ExternalInit(bytes(32)),
        GroupContextExtensions(()),
    ]
    for proposal in proposals:
        for flags in (0, 2):
            yield bytes((flags,)) + ProposalContent(proposal).encode()
    for plan in (
        CommitPlan(references=[REFERENCE], framing=PUBLIC),
        CommitPlan([Remove(2)], framing=PUBLIC),
        CommitPlan([GroupContextExtensions(())], framing=PUBLIC),
    ):
        message = commit(room.ana, plan, ANYONE, rng).message
        if isinstance(message, PublicMessage):
            content = message.content.content
            if isinstance(content, CommitContent):
                for flags in (1, 3, 5):
                    yield bytes((flags,)) + content.encode()


def main(arguments: list[str]) -> int:
    """Write the seeds; return the exit code."""
    (folder,) = arguments
    for target, contents in seeds(new_room(chosen_suite())).items():
        for number, data in enumerate(contents):
            place = Path(folder) / target
            if target == "decoding":
                place /= chosen_decoder(data)
            place.mkdir(parents=True, exist_ok=True)
            (place / f"seed-{number:04}").write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
