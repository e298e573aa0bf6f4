DROP INDEX sessions_leased;
CREATE INDEX sessions_leased ON sessions (lease_until_ms)
  WHERE status IN ('pending', 'starting', 'stopping');
