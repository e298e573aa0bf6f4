-- A pinned backup never goes by itself.
ALTER TABLE backups ADD COLUMN pinned SMALLINT NOT NULL DEFAULT 0;
CREATE INDEX backups_completed ON backups (server_game_config_id, backup_id)
  WHERE status = 'completed';

-- SGCs whose policies are to be looked through for backups that may go. version counts what gave
-- reason to.
CREATE TABLE retention_queue (
  sgc_id BIGINT PRIMARY KEY REFERENCES server_game_configs (sgc_id) ON DELETE CASCADE,
  due_at BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX retention_queue_due ON retention_queue (due_at);
