"""Limits of the engine, in one table, each with its reason.

The RFC lets every vector take 2^30 bytes. What a limit here refuses, every member
that runs this engine refuses alike.
"""

# The largest public key of a suite in sight: ML-KEM-768 with X25519 takes 1,216 bytes,
# ML-DSA-87 2,592; there is room for one doubling.
MAX_KEY = 8 * 1024

# ML-DSA-87 takes 4,627 bytes.
MAX_SIGNATURE = 16 * 1024

# Hash, MAC, nonce and PSK ids are a hash in size; 255 is what HKDF can stretch.
MAX_DIGEST = 255

# Ids are random bytes or short names.
MAX_GROUP_ID = 1024
MAX_PSK_ID = 1024

# A credential is a certificate with a key and a signature, or a chain of X.509 ones.
MAX_CREDENTIAL = 64 * 1024

# Lists of numbers in capabilities: all 65,536 of them would be 128 KiB.
MAX_CAPABILITIES = 16 * 1024

# The tree of 10,000 members in a hybrid suite takes about 40 MB; a vector cannot be
# longer than the message it came in, and transports bound that.
MAX_TREE = 64 * 1024 * 1024
MAX_EXTENSIONS = MAX_TREE

# Everything else that is a list or a ciphertext: bounded by the message.
MAX_MESSAGE = MAX_TREE

# Leaves of a tree: those of 10,000 members need so many. A blank node is a byte on the
# wire and a pointer in each of several lists here: MAX_TREE bytes of them are a gigabyte.
MAX_LEAVES = 1 << 14

# Leaves that a patch may make of nothing: to hash them all takes milliseconds. A larger
# tree grows only when it is full, as it does where members are added one by one.
MAX_BLANK_LEAVES = 1 << 10

# How far ahead of what it has seen a member follows a sender's ratchet. A step costs
# three hashes, so a forged generation costs at most some milliseconds.
MAX_SKIPPED_GENERATIONS = 1000

# How many keys of skipped messages are kept per ratchet; the oldest go first.
MAX_KEPT_KEYS = 1000

# Resumption secrets of past epochs that a member keeps for PreSharedKey proposals.
MAX_RESUMPTION_EPOCHS = 4

# Proposals of one epoch that a member keeps until a commit; more are refused, so that
# a member who floods proposals costs the others no memory.
MAX_PENDING_PROPOSALS = 4096
