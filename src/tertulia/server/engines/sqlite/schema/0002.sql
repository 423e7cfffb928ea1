-- Keys begin with the time, so this index grows at its end; by device first it did not.

DROP INDEX entry_of_sender;
CREATE UNIQUE INDEX entry_of_sender ON entry (key, device, (id >> 40));
