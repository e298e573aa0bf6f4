-- What a game config says of its handling stood in columns of its own. It is one JSON object now that
-- holds only what was said ('' is nothing), and an SGC may say it too. A grace of 30 was the default.
ALTER TABLE game_configs ADD COLUMN profile TEXT NOT NULL DEFAULT '';
ALTER TABLE game_configs ADD COLUMN handling TEXT NOT NULL DEFAULT '';
ALTER TABLE server_game_configs ADD COLUMN profile TEXT NOT NULL DEFAULT '';
ALTER TABLE server_game_configs ADD COLUMN handling TEXT NOT NULL DEFAULT '';
UPDATE game_configs SET handling = '{"quiesce":' || quiesce || ',"resume":' || resume || '}'
  WHERE quiesce <> '[]' OR resume <> '[]';
-- The text of a console's line has no control characters but tabs (the second argument is one).
UPDATE game_configs SET handling = CASE handling WHEN '' THEN '{' ELSE substr(handling, 1, length(handling) - 1) || ',' END
  || '"stop_command":"' || replace(replace(replace(stop_command, '\', '\\'), '"', '\"'), '	', '\t') || '"}'
  WHERE stop_command <> '';
UPDATE game_configs SET handling = CASE handling WHEN '' THEN '{' ELSE substr(handling, 1, length(handling) - 1) || ',' END
  || '"stop_grace_seconds":' || CAST(stop_grace_seconds AS TEXT) || '}'
  WHERE stop_grace_seconds <> 30;
ALTER TABLE game_configs DROP COLUMN stop_command;
ALTER TABLE game_configs DROP COLUMN stop_grace_seconds;
ALTER TABLE game_configs DROP COLUMN quiesce;
ALTER TABLE game_configs DROP COLUMN resume;
