-- What joiners need of a room is kept otherwise: whole trees once, then patches. What was
-- kept before cannot be read any more; the next handshake of a room brings it anew.

CREATE TABLE tree_patch (
  number INTEGER PRIMARY KEY,             -- in the order in which they follow
  room   INTEGER NOT NULL REFERENCES room (number), -- which room's tree it changes
  bytes  BLOB NOT NULL                    -- what the relay cannot read
);
CREATE INDEX tree_patch_of_room ON tree_patch (room);

UPDATE room SET advice = NULL;
