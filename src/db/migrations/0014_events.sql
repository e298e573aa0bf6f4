-- What happened, and who did it. The rows that an event is about may be gone.
CREATE TABLE events (
  event_id BIGSERIAL PRIMARY KEY,
  at_ms BIGINT NOT NULL,
  kind TEXT NOT NULL,
  actor TEXT NOT NULL,
  server_id BIGINT NOT NULL,
  sgc_id BIGINT NOT NULL,
  session_id BIGINT NOT NULL,
  backup_id BIGINT NOT NULL,
  policy_id BIGINT NOT NULL,
  message TEXT NOT NULL
);
CREATE INDEX events_at ON events (at_ms);
CREATE INDEX events_of_sgc ON events (sgc_id, event_id);
CREATE INDEX events_of_kind ON events (kind, event_id);
CREATE INDEX events_of_sgc_and_kind ON events (sgc_id, kind, event_id);
CREATE INDEX events_of_kind_at ON events (kind, at_ms);

-- Who is told of events. retry_at_ms: a receiver that was away is not asked before. lease_until_ms: a
-- process delivers to it.
CREATE TABLE webhooks (
  webhook_id BIGSERIAL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  url TEXT NOT NULL,
  secret TEXT NOT NULL,
  paused SMALLINT NOT NULL,
  created_at BIGINT NOT NULL,
  failures INTEGER NOT NULL,
  last_error TEXT NOT NULL,
  retry_at_ms BIGINT NOT NULL,
  lease_until_ms BIGINT NOT NULL
);
CREATE TABLE webhook_kinds (
  kind TEXT NOT NULL,
  webhook_id BIGINT NOT NULL REFERENCES webhooks (webhook_id) ON DELETE CASCADE,
  PRIMARY KEY (kind, webhook_id)
);
CREATE INDEX webhook_kinds_of ON webhook_kinds (webhook_id);

-- The outbox of webhooks: made in the transaction that makes the event. next_attempt_ms counts while
-- the status is 'waiting'.
CREATE TABLE webhook_deliveries (
  delivery_id BIGSERIAL PRIMARY KEY,
  webhook_id BIGINT NOT NULL REFERENCES webhooks (webhook_id) ON DELETE CASCADE,
  event_id BIGINT NOT NULL REFERENCES events (event_id) ON DELETE CASCADE,
  status TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  created_at_ms BIGINT NOT NULL,
  next_attempt_ms BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  last_error TEXT NOT NULL
);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (webhook_id, next_attempt_ms, delivery_id)
  WHERE status = 'waiting';
CREATE INDEX webhook_deliveries_of ON webhook_deliveries (webhook_id, delivery_id);
CREATE INDEX webhook_deliveries_of_event ON webhook_deliveries (event_id);

-- Bounds on backups; 0: none.
ALTER TABLE servers ADD COLUMN max_concurrent_backups INTEGER NOT NULL DEFAULT 0;
ALTER TABLE servers ADD COLUMN max_total_bytes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE servers ADD COLUMN max_manual_per_hour INTEGER NOT NULL DEFAULT 0;
ALTER TABLE server_game_configs ADD COLUMN max_concurrent_backups INTEGER NOT NULL DEFAULT 0;
ALTER TABLE server_game_configs ADD COLUMN max_total_bytes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE server_game_configs ADD COLUMN max_manual_per_hour INTEGER NOT NULL DEFAULT 0;
CREATE INDEX backups_stored_bytes ON backups (server_game_config_id, size_bytes)
  WHERE status = 'completed';
