"""What a group weighs: `python -m bench.mls_sizes [SIZE ...]`.

Prints a Markdown table: bytes of messages, of the saved state and of memory, for each
group size in both suites that rooms are made with. The members are devices with
certificates and names, as rooms have them. The sizes are the same on every machine but
for a few bytes; the memory is that of Python's objects, without what the cryptographic
library keeps behind them.
"""

import gc
import sys
import tracemalloc
from collections.abc import Iterator, Sequence
from typing import Final

from bench.populated_group import (
    FOREVER,
    device_identity,
    populated_group,
    welcome_into,
)
from tertulia import mls
from tertulia.crypto import (
    CLASSICAL_SUITE,
    HYBRID_SUITE,
    CipherSuite,
    cipher_suite,
    system_rng,
)
from tertulia.errors import BugError

SIZES = (2, 10, 100, 1000)
POLICY = mls.AcceptEverything()
COLUMNS = (
    "commit, blank tree",
    "commit, populated tree",
    "text of 300 bytes",
    "key package",
    "GroupInfo without tree",
    "tree",
    "Welcome with tree",
    "tree patch",
    "saved epoch",
    "memory",
)
SUITES: Final = (CLASSICAL_SUITE, HYBRID_SUITE)


def weigh(suite: CipherSuite, size: int) -> Sequence[int]:
    """Return the bytes of each column."""
    subject = device_identity(suite, b"subject")
    mine = mls.create_key_package(subject, FOREVER, system_rng)
    peer = device_identity(suite, b"peer")
    welcome = welcome_into(
        populated_group(peer, size - 1, device_identity), mine.key_package
    )
    group, memory = _join(welcome, mine)
    populated = _commit(group)
    patch = mls.tree_difference(group.tree, populated.after.tree)
    _, text = mls.protect(populated.after, bytes(300), system_rng)
    group_info = mls.make_group_info(group, tree=False, external_pub=True)
    return (
        len(mls.encode_message(_commit(_blank_group(suite, size)).message)),
        len(mls.encode_message(_commit(populated.after).message)),
        len(mls.encode_message(text)),
        len(mls.encode_message(mine.key_package)),
        len(mls.encode_message(group_info)),
        len(group.tree.encode()),
        len(welcome),
        len(patch.encode()),
        len(mls.save_epoch(populated.after.epoch)),
        memory,
    )


def _join(welcome: bytes, mine: mls.KeyPackageSecrets) -> tuple[mls.Group, int]:
    """Return the group and how much memory holds it."""
    gc.collect()
    tracemalloc.start()
    message = mls.decode_message(welcome)
    if not isinstance(message, mls.Welcome):
        raise BugError("not a Welcome")
    group = mls.join(message, mine, POLICY)
    del message
    gc.collect()
    memory, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return group, memory


def _blank_group(suite: CipherSuite, size: int) -> mls.Group:
    """Found a group by one commit without path: no parent node has a key."""
    founder = device_identity(suite, b"founder")
    group = mls.create_group(founder, b"populated", FOREVER, system_rng)
    others = [device_identity(suite, b"%d" % number) for number in range(1, size)]
    adds = [
        mls.Add(mls.create_key_package(other, FOREVER, system_rng).key_package)
        for other in others
    ]
    plan = mls.CommitPlan(adds, path=False)
    return mls.commit(group, plan, POLICY, system_rng).after


def _commit(group: mls.Group) -> mls.Committed:
    return mls.commit(group, mls.CommitPlan(), POLICY, system_rng)


def table(sizes: Sequence[int]) -> Iterator[str]:
    """Yield the lines of the table."""
    yield "| N | suite | " + " | ".join(COLUMNS) + " |"
    yield "|---:|---|" + "---:|" * len(COLUMNS)
    for size in sizes:
        for number in SUITES:
            cells = " | ".join(
                f"{cell:,}" for cell in weigh(cipher_suite(number), size)
            )
            yield f"| {size} | 0x{number:04X} | {cells} |"


def main(arguments: Sequence[str]) -> None:
    """Weigh groups of the sizes named in `arguments`, or of the usual ones."""
    for line in table([int(argument) for argument in arguments] or SIZES):
        print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
