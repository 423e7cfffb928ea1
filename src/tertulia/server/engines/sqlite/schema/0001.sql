-- The store of one relay, version 1. Times are milliseconds since 1970, UTC.

CREATE TABLE relay (
  one          INTEGER PRIMARY KEY CHECK (one = 1), -- there is one row
  incarnation  BLOB NOT NULL                        -- 16 random bytes, new after a restore
);

CREATE TABLE account (
  account    BLOB PRIMARY KEY,            -- SHA-256 of the account key
  key        BLOB NOT NULL,               -- Ed25519 public key
  is_owner   INTEGER NOT NULL,            -- 1 if it came by an owner invite
  created    INTEGER NOT NULL,            -- when
  rooms      INTEGER NOT NULL DEFAULT 0,  -- how many rooms it created
  blob_bytes INTEGER NOT NULL DEFAULT 0,  -- announced size of its blobs together
  list       INTEGER,                     -- number of the newest device list
  list_bytes BLOB                         -- that list, as it was signed
);

CREATE TABLE device (
  device      BLOB PRIMARY KEY,           -- 16 bytes, chosen by the device
  account     BLOB NOT NULL REFERENCES account, -- whose it is
  key         BLOB NOT NULL,              -- Ed25519 public key
  counter     INTEGER NOT NULL DEFAULT 0, -- highest counter it connected with
  is_revoked  INTEGER NOT NULL DEFAULT 0, -- 1 once a device list left it out
  last_resort BLOB,                       -- key package that is claimed when no other is left
  welcomes    INTEGER NOT NULL DEFAULT 0  -- number of the last Welcome in its mailbox
);
CREATE INDEX device_of_account ON device (account);

CREATE TABLE revoked (
  account BLOB NOT NULL REFERENCES account, -- who revoked
  device  BLOB NOT NULL,                    -- a device id that never enrols again
  PRIMARY KEY (account, device)
) WITHOUT ROWID;

CREATE TABLE server_invite (
  invite      BLOB PRIMARY KEY,           -- names the invite
  public_key  BLOB NOT NULL,              -- checks proofs of it
  created     INTEGER NOT NULL,           -- when
  expires     INTEGER,                    -- from when it counts no more; NULL never
  uses        INTEGER,                    -- how many accounts it creates; NULL any
  used        INTEGER NOT NULL DEFAULT 0, -- how many it created
  makes_owner INTEGER NOT NULL            -- 1 if those accounts own the relay
);

CREATE TABLE ban (
  subject TEXT PRIMARY KEY,               -- account id in hex, or an address
  created INTEGER NOT NULL,               -- when
  expires INTEGER                         -- until when; NULL for good
);

CREATE TABLE key_package (
  number INTEGER PRIMARY KEY,             -- in order of publishing
  device BLOB NOT NULL REFERENCES device, -- whose it is
  bytes  BLOB NOT NULL                    -- the KeyPackage; its row goes when it is claimed
);
CREATE INDEX key_package_of_device ON key_package (device);

CREATE TABLE room (
  number    INTEGER PRIMARY KEY,          -- what entries name the room by
  room      BLOB NOT NULL UNIQUE,         -- 16 bytes, chosen by the creator
  place     INTEGER NOT NULL,             -- place of the last entry, 0 for none
  hash      BLOB NOT NULL,                -- running hash there
  handshake INTEGER NOT NULL,             -- place of the latest handshake, 0 for none
  time      INTEGER NOT NULL,             -- time of the last entry; never runs back
  size      INTEGER NOT NULL,             -- bytes that count against its quota
  advice    BLOB,                         -- GroupAdvice for joiners, in MessagePack
  retention INTEGER                       -- how long its entries are kept; NULL as the relay
);

CREATE TABLE route (
  room      INTEGER NOT NULL REFERENCES room (number), -- which room
  device    BLOB NOT NULL REFERENCES device,           -- who
  first     INTEGER NOT NULL,             -- first place it may read
  last      INTEGER,                      -- last place it may read; NULL while it belongs
  handshake INTEGER NOT NULL,             -- latest handshake it is known to have processed
  heard     INTEGER NOT NULL,             -- when that became known
  PRIMARY KEY (room, device)
) WITHOUT ROWID;
CREATE INDEX route_of_device ON route (device);

CREATE TABLE entry (
  id        INTEGER PRIMARY KEY,          -- number of the room times 2^40, plus the place
  kind      INTEGER NOT NULL,             -- 1 handshake, 2 application
  device    BLOB NOT NULL,                -- who sent it
  time      INTEGER NOT NULL,             -- when the relay placed it
  key       BLOB NOT NULL,                -- 16 bytes, chosen by the sender
  handshake INTEGER NOT NULL,             -- latest handshake the sender had processed
  hash      BLOB NOT NULL,                -- running hash after this entry
  blob_hash BLOB,                         -- SHA-256 of the blob once retention removed it
  blob      BLOB                          -- what the relay cannot read
);
CREATE UNIQUE INDEX entry_of_sender ON entry (device, key, (id >> 40));
CREATE INDEX entry_handshake ON entry (id) WHERE kind = 1;

CREATE TABLE room_invite (
  room       INTEGER NOT NULL REFERENCES room (number), -- which room
  invite     BLOB NOT NULL,               -- names the invite
  public_key BLOB NOT NULL,               -- checks proofs of it
  wrap       BLOB NOT NULL,               -- names its wrap key
  expires    INTEGER,                     -- from when it counts no more; NULL never
  uses       INTEGER,                     -- how many may join by it; NULL any
  joined     INTEGER NOT NULL DEFAULT 0,  -- how many joined by it
  accounts   INTEGER NOT NULL DEFAULT 0,  -- how many accounts came by it
  PRIMARY KEY (room, invite)
) WITHOUT ROWID;

CREATE TABLE welcome (
  device BLOB NOT NULL REFERENCES device, -- in whose mailbox
  number INTEGER NOT NULL,                -- rising per mailbox
  room   BLOB NOT NULL,                   -- id of the room it opens
  place  INTEGER NOT NULL,                -- handshake it came with
  blob   BLOB NOT NULL,                   -- the MLS Welcome
  PRIMARY KEY (device, number)
);

CREATE TABLE marker (
  room   INTEGER NOT NULL REFERENCES room (number), -- which room
  device BLOB NOT NULL,                   -- whose marker
  slot   INTEGER NOT NULL,                -- which of its slots
  blob   BLOB NOT NULL,                   -- what the relay cannot read
  PRIMARY KEY (room, device, slot)
) WITHOUT ROWID;

CREATE TABLE blob (
  blob        BLOB PRIMARY KEY,           -- 16 random bytes; the file is named by them
  room        BLOB NOT NULL REFERENCES room (room), -- which room may read it
  account     BLOB NOT NULL REFERENCES account,     -- whose quota it counts against
  size        INTEGER NOT NULL,           -- bytes announced
  hash        BLOB NOT NULL,              -- SHA-256 announced
  created     INTEGER NOT NULL,           -- when it was announced
  is_complete INTEGER NOT NULL DEFAULT 0, -- 1 once all bytes are durable and fit the hash
  replaced    INTEGER                     -- when another GroupInfo or tree took its place
);
CREATE INDEX blob_of_room ON blob (room);
