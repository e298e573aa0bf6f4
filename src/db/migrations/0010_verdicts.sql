-- Whether a backup holds one moment of its world, how that is known, how long the game held still
-- for it, and what was written to while it was read (a list as JSON; the first of so many).
ALTER TABLE backups ADD COLUMN consistency TEXT NOT NULL DEFAULT '';
ALTER TABLE backups ADD COLUMN evidence TEXT NOT NULL DEFAULT '';
ALTER TABLE backups ADD COLUMN pause_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE backups ADD COLUMN changed_files TEXT NOT NULL DEFAULT '[]';
ALTER TABLE backups ADD COLUMN changed_count BIGINT NOT NULL DEFAULT 0;
