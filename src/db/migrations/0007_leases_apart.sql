-- An index with the same condition as that of backups_one_active was taken instead of it, to look
-- for one SGC's active backup among those of all. Only a question about the lease implies this one.
DROP INDEX backups_leased;
CREATE INDEX backups_leased ON backups (lease_until_ms)
  WHERE status IN ('pending', 'running') AND lease_until_ms >= 0;
