-- Rows in the order of their objects' keys, for the audit of the store against them.
CREATE INDEX backups_by_url ON backups (s3_url COLLATE "C", backup_id);
-- mark is random and stands in the archive's own index, too: it tells whether an object is this
-- backup's. "": of a time before that. adopted_at: when the row was made again from its archive.
ALTER TABLE backups ADD COLUMN mark TEXT NOT NULL DEFAULT '';
ALTER TABLE backups ADD COLUMN adopted_at BIGINT NOT NULL DEFAULT 0;
