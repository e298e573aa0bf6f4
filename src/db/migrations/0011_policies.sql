-- When backups are made by themselves. next_due_at is 0 when only events make it due, or while it is
-- paused. keep and handling are JSON.
CREATE TABLE backup_policies (
  policy_id BIGSERIAL PRIMARY KEY,
  sgc_id BIGINT NOT NULL REFERENCES server_game_configs (sgc_id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  every_minutes INTEGER NOT NULL,
  cron TEXT NOT NULL,
  zone TEXT NOT NULL,
  jitter_seconds INTEGER NOT NULL,
  at_session_end SMALLINT NOT NULL,
  before_restore SMALLINT NOT NULL,
  paused SMALLINT NOT NULL,
  format TEXT NOT NULL,
  level TEXT NOT NULL,
  handling TEXT NOT NULL,
  upload_bytes_per_second BIGINT NOT NULL,
  skip_unchanged SMALLINT NOT NULL,
  keep TEXT NOT NULL,
  created_at TIMESTAMP NOT NULL,
  updated_at BIGINT NOT NULL,
  next_due_at BIGINT NOT NULL,
  UNIQUE (sgc_id, name)
);
CREATE INDEX backup_policies_of_sgc ON backup_policies (sgc_id, policy_id);
CREATE INDEX backup_policies_due ON backup_policies (next_due_at) WHERE next_due_at > 0;

-- of_session is that of an event; it stays when the session's row goes.
CREATE TABLE policy_runs (
  run_id BIGSERIAL PRIMARY KEY,
  policy_id BIGINT NOT NULL REFERENCES backup_policies (policy_id) ON DELETE CASCADE,
  run_trigger TEXT NOT NULL,
  due_at BIGINT NOT NULL,
  of_session BIGINT NOT NULL,
  outcome TEXT NOT NULL,
  reason TEXT NOT NULL,
  backup_id BIGINT REFERENCES backups (backup_id) ON DELETE SET NULL,
  missed_count BIGINT NOT NULL,
  noted_at BIGINT NOT NULL,
  look_again_at BIGINT NOT NULL
);
CREATE INDEX policy_runs_of_policy ON policy_runs (policy_id, run_id);
CREATE INDEX policy_runs_of_backup ON policy_runs (backup_id);
CREATE INDEX policy_runs_waiting ON policy_runs (look_again_at) WHERE outcome = 'waiting';
-- Each occasion has one run.
CREATE UNIQUE INDEX policy_runs_by_time ON policy_runs (policy_id, due_at)
  WHERE run_trigger = 'schedule';
CREATE UNIQUE INDEX policy_runs_by_session ON policy_runs (policy_id, run_trigger, of_session)
  WHERE of_session > 0;

-- Which policy made a backup, and what its save data looked like from outside before it was read.
ALTER TABLE backups ADD COLUMN policy_id BIGINT
  REFERENCES backup_policies (policy_id) ON DELETE SET NULL;
ALTER TABLE backups ADD COLUMN fingerprint TEXT NOT NULL DEFAULT '';
CREATE INDEX backups_of_policy ON backups (policy_id, backup_id);

-- The backup that must be completed before the session's restore begins.
ALTER TABLE sessions ADD COLUMN waits_for_backup_id BIGINT
  REFERENCES backups (backup_id) ON DELETE SET NULL;
CREATE INDEX sessions_waiting ON sessions (waits_for_backup_id);
