-- Restore drills: a backup is unpacked on a host and examined. findings is JSON.
CREATE TABLE drills (
  drill_id BIGSERIAL PRIMARY KEY,
  backup_id BIGINT NOT NULL REFERENCES backups (backup_id) ON DELETE CASCADE,
  sgc_id BIGINT NOT NULL REFERENCES server_game_configs (sgc_id) ON DELETE CASCADE,
  server_id BIGINT REFERENCES servers (server_id) ON DELETE SET NULL,
  policy_id BIGINT REFERENCES backup_policies (policy_id) ON DELETE SET NULL,
  start_game SMALLINT NOT NULL,
  status TEXT NOT NULL,
  error_message TEXT NOT NULL,
  findings TEXT NOT NULL,
  finding_count BIGINT NOT NULL,
  examined TEXT NOT NULL,
  unexamined_count BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  finished_at BIGINT NOT NULL,
  lease_until_ms BIGINT NOT NULL,
  progress_bytes BIGINT NOT NULL,
  total_bytes BIGINT NOT NULL
);
-- One at a time of each backup.
CREATE UNIQUE INDEX drills_active ON drills (backup_id)
  WHERE status IN ('pending', 'running');
CREATE INDEX drills_leased ON drills (lease_until_ms)
  WHERE status IN ('pending', 'running');
CREATE INDEX drills_of_backup ON drills (backup_id, drill_id);
CREATE INDEX drills_of_sgc ON drills (sgc_id, drill_id);
CREATE INDEX drills_of_server ON drills (server_id);
CREATE INDEX drills_of_policy ON drills (policy_id);

-- The strongest look that found the damage that stands.
ALTER TABLE backups ADD COLUMN verify_failed_how TEXT NOT NULL DEFAULT '';
DROP INDEX backups_restorable;
CREATE INDEX backups_restorable ON backups (server_game_config_id, backup_id)
  WHERE status = 'completed' AND verified_how IN ('full', 'drill') AND verify_failed_at = 0;
