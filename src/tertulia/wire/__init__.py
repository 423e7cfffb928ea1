"""Every frame between client and relay, and whatever both sides must agree on.

Frames and their codec, limits, error codes, versions, the running hash, links, and what
is signed outside MLS. Values only: who may send what, and when, is the relay's matter
and the client's.
"""

from tertulia.wire import frames, limits
from tertulia.wire.codec import decode_from_client, decode_from_relay, encode
from tertulia.wire.credentials import (
    Device,
    DeviceBinding,
    DeviceCredential,
    DeviceList,
    ListedDevice,
    SignedDeviceList,
    account_id,
)
from tertulia.wire.error_codes import ERRORS, ErrorCode, ErrorRow
from tertulia.wire.errors import (
    MalformedFrameError,
    OversizeFrameError,
    UnknownFrameError,
    UnsupportedVersionError,
)
from tertulia.wire.heads import Head, HeadRoot, sign_heads, verify_head
from tertulia.wire.identifiers import MAX_INTEGER, AccountPolicy, Kind
from tertulia.wire.invite_link import (
    MAX_LINK_ADDRESSES,
    InviteLink,
    LinkError,
    NewerLinkError,
    ParsedLink,
    RoomInviteLink,
    ServerInviteLink,
    parse_link,
)
from tertulia.wire.message_key import new_message_key
from tertulia.wire.running_hash import blob_hash, first_hash, next_hash
from tertulia.wire.signed import (
    DeviceProof,
    InviteClaim,
    RelayProof,
    Signable,
)
from tertulia.wire.tree_patches import KeptPatches
from tertulia.wire.version import (
    BLOBS_PATH,
    SUBPROTOCOL,
    VERSIONS,
    WEBSOCKET_PATH,
    choose_version,
)

__all__ = [
    "BLOBS_PATH",
    "ERRORS",
    "MAX_INTEGER",
    "MAX_LINK_ADDRESSES",
    "SUBPROTOCOL",
    "VERSIONS",
    "WEBSOCKET_PATH",
    "AccountPolicy",
    "Device",
    "DeviceBinding",
    "DeviceCredential",
    "DeviceList",
    "DeviceProof",
    "ErrorCode",
    "ErrorRow",
    "Head",
    "HeadRoot",
    "InviteClaim",
    "InviteLink",
    "KeptPatches",
    "Kind",
    "LinkError",
    "ListedDevice",
    "MalformedFrameError",
    "NewerLinkError",
    "OversizeFrameError",
    "ParsedLink",
    "RelayProof",
    "RoomInviteLink",
    "ServerInviteLink",
    "Signable",
    "SignedDeviceList",
    "UnknownFrameError",
    "UnsupportedVersionError",
    "account_id",
    "blob_hash",
    "choose_version",
    "decode_from_client",
    "decode_from_relay",
    "encode",
    "first_hash",
    "frames",
    "limits",
    "new_message_key",
    "next_hash",
    "parse_link",
    "sign_heads",
    "verify_head",
]
