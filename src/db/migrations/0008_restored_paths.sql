-- A list as JSON, of the paths that a session brought back from its backup; [] is all of it.
ALTER TABLE sessions ADD COLUMN restored_paths TEXT NOT NULL DEFAULT '[]';
