-- A lane is the part of a routing key that names the host. Each lane's rows go out in order, by
-- one sender at a time: the one whose claim it is.

ALTER TABLE outbox ADD COLUMN lane TEXT NOT NULL DEFAULT '';
UPDATE outbox SET lane = COALESCE((SELECT 'command.host.' || server_id FROM servers
  WHERE outbox.routing_key LIKE 'command.host.' || server_id || '.%'), '');
CREATE INDEX outbox_of_lane ON outbox (lane, outbox_id);

CREATE TABLE outbox_claims (
  lane TEXT PRIMARY KEY,
  claimant TEXT NOT NULL,
  until_ms BIGINT NOT NULL
);

-- It held last_seen, so that every heartbeat wrote to each index of the table, and heartbeats of
-- different servers met there. Servers are few enough to be looked through.
DROP INDEX servers_online;
