-- Archives were .tar.gz of the default level before they said so.
ALTER TABLE game_configs ADD COLUMN format TEXT NOT NULL DEFAULT 'gz';
ALTER TABLE game_configs ADD COLUMN level TEXT NOT NULL DEFAULT 'default';
ALTER TABLE backups ADD COLUMN format TEXT NOT NULL DEFAULT 'gz';
ALTER TABLE backups ADD COLUMN level TEXT NOT NULL DEFAULT 'default';
