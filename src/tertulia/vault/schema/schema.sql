-- Version 1 of a vault. Times are milliseconds since 1970. A later version is a file
-- upgrade_N.sql that turns version N-1 into N; a new vault runs through all of them.

CREATE TABLE profile (
  id             INTEGER PRIMARY KEY CHECK (id = 1), -- who I am: there is one
  account_public BLOB NOT NULL,           -- account key, public part
  account_key    BLOB,                    -- its private part; NULL on a linked device
  device         BLOB NOT NULL,           -- device id
  device_public  BLOB NOT NULL,           -- device key, public part
  device_key     BLOB NOT NULL,           -- its private part
  created        INTEGER NOT NULL,        -- when
  name           TEXT NOT NULL            -- what I am called
) STRICT;

CREATE TABLE relay (
  number    INTEGER PRIMARY KEY,          -- in order of first use
  relay     BLOB NOT NULL UNIQUE,         -- fingerprint of its identity
  addresses TEXT NOT NULL,                -- where it is, as a JSON list
  counter   INTEGER NOT NULL,             -- the one last connected with
  invite    TEXT NOT NULL                 -- link to make an account by; empty once made
) STRICT;

CREATE TABLE room (
  number INTEGER PRIMARY KEY,             -- in order of first use
  room   BLOB NOT NULL UNIQUE,            -- room id
  relay  BLOB NOT NULL,                   -- fingerprint of the relay that has it
  state  BLOB NOT NULL                    -- where it stands; the client's own
) STRICT;
CREATE INDEX room_of_relay ON room (relay);

CREATE TABLE epoch (
  room  BLOB PRIMARY KEY,                 -- room id
  epoch BLOB NOT NULL                     -- MLS state that only a commit changes
) STRICT;

CREATE TABLE epoch_key (
  room BLOB NOT NULL,                     -- room id
  name BLOB NOT NULL,                     -- which key
  key  BLOB NOT NULL,                     -- MLS state that each message changes
  PRIMARY KEY (room, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE pending (
  room    BLOB PRIMARY KEY,               -- room id
  pending BLOB NOT NULL                   -- the handshake being sent, and what it starts
) STRICT;

CREATE TABLE outbox (
  room   BLOB NOT NULL,                   -- room id
  key    BLOB NOT NULL,                   -- entry key
  number INTEGER NOT NULL,                -- order within the room
  state  BLOB NOT NULL,                   -- the message and where it stands
  PRIMARY KEY (room, key)
) STRICT;

CREATE TABLE invite (
  room   BLOB NOT NULL,                   -- room id
  invite BLOB NOT NULL,                   -- invite id
  link   TEXT NOT NULL,                   -- the link with its secret
  PRIMARY KEY (room, invite)
) STRICT;

CREATE TABLE message (
  number  INTEGER PRIMARY KEY AUTOINCREMENT, -- order of all lines; never used twice
  message BLOB NOT NULL,                  -- message id
  room    BLOB NOT NULL,                  -- room id
  place   INTEGER,                        -- place in the log; NULL until it has one
  body    BLOB NOT NULL,                  -- what was said; the client's own
  UNIQUE (message, room)
) STRICT;
CREATE INDEX message_of_room ON message (room);

CREATE TABLE entry (
  number INTEGER PRIMARY KEY,             -- row number
  room   BLOB NOT NULL,                   -- room id
  place  INTEGER NOT NULL,                -- place in the log
  size   INTEGER NOT NULL,                -- bytes of `entry`
  hash   BLOB NOT NULL,                   -- running hash after it
  entry  BLOB NOT NULL,                   -- the entry as received
  UNIQUE (room, place)
) STRICT;
-- Tells how much a room keeps without touching the entries themselves.
CREATE INDEX entry_size ON entry (room, place, size);

CREATE TABLE evidence (
  number INTEGER PRIMARY KEY,             -- in order of arrival
  room   BLOB NOT NULL,                   -- room id
  time   INTEGER NOT NULL,                -- when it was noticed
  code   TEXT NOT NULL,                   -- what it proves
  data   BLOB NOT NULL                    -- the proof
) STRICT;
CREATE INDEX evidence_of_room ON evidence (room, code);
