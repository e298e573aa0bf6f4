"""Games for tests: how they are deployed, and a small one with a console."""

from .wait import wait_until

# Notes each launch in {gsc}/starts and each line of its console in {gsc}/console, both beside
# game/, and never writes to game/ itself.
CONSOLE_GAME = r"""
echo $$ >> ../starts
echo "Done! For help, type help"
while read -r line; do
  echo "$line" >> ../console
  case "$line" in
    save-off) echo "Automatic saving is now disabled" ;;
    "save-all flush") echo "Saved the game" ;;
    save-on) echo "Automatic saving is now enabled" ;;
    stop) echo "Stopping the server"; exit 0 ;;
    exit*) exit "${line#exit }" ;;
  esac
done
"""

QUIESCE = [
    {"input": "save-off", "confirm_regex": "saving is now disabled", "timeout_seconds": 20},
    {"input": "save-all flush", "confirm_regex": "Saved the game", "timeout_seconds": 20},
]


def deploy(api, name="game", entrypoint=("/bin/sh", "-c", CONSOLE_GAME), **config):
    """Makes a game and its config, deploys it on this machine; the SGC's id."""
    server = api.ListServers().servers[0]
    game = api.CreateGame(name=name).game
    made = api.CreateGameConfig(game_id=game.game_id, name=name, entrypoint=list(entrypoint),
                                **config).config
    sgc = api.DeployGameConfig(server_id=server.server_id, game_config_id=made.config_id).config
    return sgc.server_game_config_id


def deploy_console(api, name="console"):
    return deploy(api, name, stop_command="stop", quiesce=QUIESCE, resume=["save-on"])


def lines_of(path):
    return path.read_text().splitlines() if path.exists() else []


def start(service, sgc_id, **fields):
    """Starts a session and waits until it runs; the session."""
    session = service.api.StartSession(server_game_config_id=sgc_id, **fields).session
    return service.api.wait_session(session.session_id, "running")


def stop(service, session_id):
    service.api.StopSession(session_id=session_id)
    return service.api.wait_session(session_id, "stopped", "completed", "crashed")


def wait_output(service, sgc_id, session_id, text, timeout=30):
    wait_until(lambda: text in service.output(sgc_id, session_id), timeout,
               f"the game of session {session_id} to print {text!r}")


def backup(service, **fields):
    """Takes a backup and waits for it; it must be completed."""
    made = service.api.CreateBackup(**fields).backup
    ended = service.api.wait_backup(made.backup_id)
    assert ended.status == "completed", f"backup {made.backup_id}: {ended.error_message}"
    return ended
