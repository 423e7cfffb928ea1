-- A tree apart from the epoch, which holds it in vaults made before. See client.tree_rows.

CREATE TABLE tree (
  room  BLOB NOT NULL,                    -- room id
  epoch INTEGER NOT NULL,                 -- the first row is a whole tree, then patches
  tree  BLOB NOT NULL,                    -- MLS ratchet tree, or what an epoch changed
  PRIMARY KEY (room, epoch)
) STRICT;
