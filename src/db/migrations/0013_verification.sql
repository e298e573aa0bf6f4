-- What is known of a backup's archive since it was stored: the last good look at it, the damage that
-- was found, the last look whatever came of it, and until when a verifier has claimed it.
ALTER TABLE backups ADD COLUMN verified_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE backups ADD COLUMN verified_how TEXT NOT NULL DEFAULT '';
ALTER TABLE backups ADD COLUMN verify_failed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE backups ADD COLUMN verify_error TEXT NOT NULL DEFAULT '';
ALTER TABLE backups ADD COLUMN looked_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE backups ADD COLUMN verify_lease_ms BIGINT NOT NULL DEFAULT 0;
CREATE INDEX backups_looked_at ON backups (looked_at) WHERE status = 'completed';
CREATE INDEX backups_restorable ON backups (server_game_config_id, backup_id)
  WHERE status = 'completed' AND verified_how = 'full' AND verify_failed_at = 0;
