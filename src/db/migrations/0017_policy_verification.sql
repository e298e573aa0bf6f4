-- How a policy has its backups verified: '' and -1 are as the service does it.
ALTER TABLE backup_policies ADD COLUMN verify TEXT NOT NULL DEFAULT '';
ALTER TABLE backup_policies ADD COLUMN verify_every_days INTEGER NOT NULL DEFAULT -1;
ALTER TABLE backup_policies ADD COLUMN drill_every_days INTEGER NOT NULL DEFAULT 0;
ALTER TABLE backup_policies ADD COLUMN drill_starts_game SMALLINT NOT NULL DEFAULT 0;
CREATE INDEX backup_policies_verifying ON backup_policies (policy_id) WHERE verify_every_days > 0;
CREATE INDEX backup_policies_drilling ON backup_policies (policy_id) WHERE drill_every_days > 0;

-- The look that is asked for before a backup is counted on.
ALTER TABLE backups ADD COLUMN verify_due TEXT NOT NULL DEFAULT '';
CREATE INDEX backups_verify_due ON backups (verify_due, looked_at)
  WHERE status = 'completed' AND verify_due <> '' AND verify_failed_at = 0;
CREATE INDEX backups_looked_at_of_policy ON backups (policy_id, looked_at) WHERE status = 'completed';
DROP INDEX backups_completed;
CREATE INDEX backups_good ON backups (server_game_config_id, backup_id)
  WHERE status = 'completed' AND verify_failed_at = 0 AND verify_due = '';
DROP INDEX drills_of_policy;
CREATE INDEX drills_of_policy ON drills (policy_id, created_at);
