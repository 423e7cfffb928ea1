"""Every limit of the client's own values, in one place, each with its reason.

What also travels outside MLS is bounded by `tertulia.wire.limits`. What a limit here
refuses in a room's policy or in a leaf, every member refuses alike.
"""

from typing import Final

from tertulia.wire import limits

# A display name: longer ones push everything else out of a line. In bytes, four per
# character, so that no script is worse off.
NAME_CHARACTERS: Final = 64
NAME: Final = 4 * NAME_CHARACTERS

# A leaf: keys, certificate, capabilities and the longest name take 1.8 kB, hybrid keys
# included. So many as a room may have must fit ADVICE, or nobody could join any more.
LEAF: Final = 3 * 1024

# Devices in a room with hybrid post-quantum keys. When no parent node has a key, a
# commit has a ciphertext of 1.2 kB for each: 606 kB for 500, which fits an entry also
# with the largest policy and statements of all who leave; from 800 on no commit could
# be sent, and the room would stand still.
HYBRID_DEVICES: Final = 500

# A room's name stands in lists, its topic at most over one screen.
ROOM_NAME: Final = 256
TOPIC: Final = 4096

# A policy is part of every GroupInfo and of every commit that changes it; 256 invites
# and 800 admins or bans fit.
POLICY: Final = 64 * 1024

# What the relay keeps for a room is the bound of what a policy may ask it to keep.
INVITES: Final = limits.INVITES_PER_ROOM

# Text, as the protocol has it; more is read better as a file.
MESSAGE_TEXT: Final = limits.MESSAGE_TEXT

# One commit cleans up after everybody who left since the last one; a statement takes
# 70 bytes, so a whole large room may leave at once.
LEAVING_CLAIMS: Final = 512 * 1024

# What a joiner's proof covers: the encapsulated key of a hybrid suite takes 1,120 bytes,
# a leaf with its certificate and name not twice that.
KEM_OUTPUT: Final = 8 * 1024

# So many epochs go by until a room's tree is saved whole again: in a room of 1,000
# a commit then writes 14 kB of it on average, and loading reads at most 30 kB more.
WHOLE_TREE_EPOCHS: Final = 32

# A larger patch of a tree, in bytes, is saved as the whole tree it makes: together they
# stay below 2 MiB. A commit in a hybrid room of 500 makes one of 12 kB.
SAVED_TREE_PATCH: Final = 64 * 1024

# Leaves whose reading is remembered, of 800 bytes each: a few more than the
# largest room has devices.
LEAVES_READ: Final = 8192

# What is encrypted, its signature of 66 bytes included, takes at least this: any short
# line looks like any other.
SMALLEST_CONTENT: Final = 256

# Combining marks on one character. Vietnamese takes two, pointed Hebrew with accents
# four; more is drawn over other lines.
MARKS: Final = 4

# Hexadecimal digits of an account id that tell equal names apart, where they do; of
# accounts whose digits are equal more are shown.
TAG_DIGITS: Final = 4

# Reconnecting: at once for a hiccup, once a minute for a relay that is gone for good.
RETRY_FIRST: Final = 500
RETRY_LAST: Final = 60_000

# How long a command that changes a room waits for the relay. Longer, and people have
# gone elsewhere; shorter, and a reconnect would fail what it could have carried out.
WISH_PATIENCE: Final = 30_000

# When the relay asks for a pause without saying how long, and the least of any pause:
# a relay that says "at once" for ever must not keep this machine busy.
STORAGE_PAUSE: Final = 2_000
SHORTEST_PAUSE: Final = 100

# One greeting serves all who join within this time.
GREETING_PAUSE: Final = 300

# Chores that any member can do wait longer with each rank among the leaves.
CLEANING_PAUSE: Final = 1_000
REPAIR_PAUSE: Final = 250
RANK_PAUSE: Final = 1_500

# After a skipped handshake, or a report of advice that does not open: by then whoever
# mends the relay's routes and advice has done so.
REVIEW_PAUSE: Final = 5_000

# Fresh keys for one's leaf: every week, spread over a day, or after as many messages.
REFRESH_TIME: Final = 7 * 86_400_000
REFRESH_SPREAD: Final = 86_400_000
REFRESH_MESSAGES: Final = 1_000

# Running hashes of the last entries, to compare with what others say they saw.
KNOWN_HASHES: Final = 256

# Progress of catching up is told for more than this many entries.
PROGRESS_FROM: Final = 100

# Joiners are many, members may be asked by any of them to give a whole tree anew: not
# oftener than this. Who could not enter tries again in a moment, so many times.
MEND_PAUSE: Final = 60_000
REPORT_PAUSE: Final = 2_000
REPORTS: Final = 2

# What a joiner downloads before it could check anything: a tree of 5,000 devices.
ADVICE: Final = 16 * 1024 * 1024

# A restored relay gets back at most this many entries of a room at once.
REFEED_ENTRIES: Final = limits.PAGE_ENTRIES
REFEED_BYTES: Final = limits.ENTRY_BLOB  # one frame has to hold them

# A chore that was refused is not tried again before this.
CHORE_PAUSE: Final = 60_000
