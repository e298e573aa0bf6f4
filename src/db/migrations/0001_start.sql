-- Written for PostgreSQL; src/db/sqlite/sqlite_engine.cc says what is put in other words for SQLite.
-- Every statement ends with a semicolon at the end of a line. Times are Unix seconds, or
-- milliseconds where the name says so, but created_at is a TIMESTAMP in UTC. Lists and maps are
-- JSON. An id of 0 is never stored, it is NULL.

CREATE TABLE servers (
  server_id BIGSERIAL PRIMARY KEY,
  name TEXT NOT NULL,
  environment TEXT NOT NULL,
  is_default SMALLINT NOT NULL,
  status TEXT NOT NULL,
  last_seen BIGINT NOT NULL,
  UNIQUE (name, environment)
);
CREATE INDEX servers_online ON servers (last_seen) WHERE status = 'online';

CREATE TABLE games (
  game_id BIGSERIAL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  steam_app_id TEXT NOT NULL
);

CREATE TABLE game_configs (
  config_id BIGSERIAL PRIMARY KEY,
  game_id BIGINT NOT NULL REFERENCES games (game_id),
  name TEXT NOT NULL,
  image TEXT NOT NULL,
  args_template TEXT NOT NULL,
  env_template TEXT NOT NULL,
  entrypoint TEXT NOT NULL,
  command TEXT NOT NULL,
  stop_command TEXT NOT NULL,
  stop_grace_seconds INTEGER NOT NULL,
  quiesce TEXT NOT NULL,
  resume TEXT NOT NULL,
  UNIQUE (game_id, name)
);
CREATE INDEX game_configs_of_game ON game_configs (game_id, config_id);

CREATE TABLE server_game_configs (
  sgc_id BIGSERIAL PRIMARY KEY,
  server_id BIGINT NOT NULL REFERENCES servers (server_id),
  game_config_id BIGINT NOT NULL REFERENCES game_configs (config_id),
  port_bindings TEXT NOT NULL,
  status TEXT NOT NULL
);
CREATE INDEX server_game_configs_of_server ON server_game_configs (server_id, sgc_id);
CREATE INDEX server_game_configs_of_config ON server_game_configs (game_config_id);

-- server_id is that of the SGC, which never moves to another server; here, so that a page of one
-- server's sessions is a walk along an index.
CREATE TABLE sessions (
  session_id BIGSERIAL PRIMARY KEY,
  sgc_id BIGINT NOT NULL REFERENCES server_game_configs (sgc_id),
  server_id BIGINT NOT NULL REFERENCES servers (server_id),
  created_at TIMESTAMP NOT NULL,
  started_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  exit_code INTEGER NOT NULL,
  status TEXT NOT NULL,
  error_message TEXT NOT NULL,
  replaced_data TEXT NOT NULL,
  lease_until_ms BIGINT NOT NULL,
  progress_bytes BIGINT NOT NULL,
  total_bytes BIGINT NOT NULL
);
CREATE INDEX sessions_of_sgc ON sessions (sgc_id, session_id);
CREATE INDEX sessions_of_server ON sessions (server_id, session_id);
CREATE INDEX sessions_live ON sessions (sgc_id, session_id)
  WHERE status IN ('pending', 'starting', 'running', 'stopping');
CREATE INDEX sessions_live_of_server ON sessions (server_id, session_id)
  WHERE status IN ('pending', 'starting', 'running', 'stopping');
CREATE INDEX sessions_leased ON sessions (lease_until_ms)
  WHERE status IN ('pending', 'starting');

CREATE TABLE backups (
  backup_id BIGSERIAL PRIMARY KEY,
  session_id BIGINT REFERENCES sessions (session_id) ON DELETE SET NULL,
  server_game_config_id BIGINT NOT NULL REFERENCES server_game_configs (sgc_id),
  s3_url TEXT NOT NULL,
  size_bytes BIGINT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  created_at TIMESTAMP NOT NULL,
  status TEXT NOT NULL,
  error_message TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  lease_until_ms BIGINT NOT NULL,
  sha256 TEXT NOT NULL,
  progress_bytes BIGINT NOT NULL,
  total_bytes BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  finished_at BIGINT NOT NULL,
  entries BIGINT NOT NULL,
  warnings TEXT NOT NULL
);
CREATE INDEX backups_of_sgc ON backups (server_game_config_id, backup_id);
CREATE INDEX backups_of_session ON backups (session_id, backup_id);
CREATE UNIQUE INDEX backups_one_active ON backups (server_game_config_id)
  WHERE status IN ('pending', 'running');
CREATE INDEX backups_leased ON backups (lease_until_ms)
  WHERE status IN ('pending', 'running');
CREATE INDEX backups_deleting ON backups (backup_id) WHERE status = 'deleting';

ALTER TABLE sessions ADD COLUMN restored_from_backup_id BIGINT
  REFERENCES backups (backup_id) ON DELETE SET NULL;
CREATE INDEX sessions_restored_from ON sessions (restored_from_backup_id);

CREATE TABLE outbox (
  outbox_id BIGSERIAL PRIMARY KEY,
  routing_key TEXT NOT NULL,
  body TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL
);
