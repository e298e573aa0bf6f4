-- An undo at work is looked for before each backup, restore and undo; next to no session has one.
CREATE INDEX sessions_undoing ON sessions (sgc_id) WHERE replaced_data = 'undoing';
