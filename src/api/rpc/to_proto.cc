#include "api/rpc/to_proto.h"

#include "api/handling_fields.h"

namespace manman::api {

void to_proto(const Backup& row, v1::Backup* message) {
  message->set_backup_id(row.backup_id);
  message->set_session_id(row.session_id);
  message->set_server_game_config_id(row.sgc_id);
  message->set_s3_url(row.s3_url);
  message->set_size_bytes(row.size_bytes);
  message->set_description(row.description);
  message->set_created_at(row.created_at);
  message->set_status(std::string(wire_text(row.status)));
  message->set_error_message(row.error_message);
  message->set_attempt(row.attempt);
  message->set_sha256(row.sha256);
  message->set_progress_bytes(row.progress_bytes);
  message->set_total_bytes(row.total_bytes);
  message->set_started_at(row.started_at);
  message->set_finished_at(row.finished_at);
  message->set_entries(row.entries);
  for (const auto& warning : row.warnings) message->add_warnings(warning);
  message->set_format(std::string(row.compression.format_text()));
  message->set_level(row.compression.level_text());
  message->set_consistency(std::string(to_text(row.verdict.consistency)));
  message->set_evidence(row.verdict.evidence);
  message->set_pause_ms(row.verdict.pause_ms);
  for (const auto& file : row.verdict.changed_files) message->add_changed_files(file);
  message->set_changed_count(row.verdict.changed_count);
  message->set_pinned(row.pinned);
  message->set_policy_id(row.policy_id);
  message->set_verified_at(row.verification.verified_at);
  message->set_verified_how(std::string(to_text(row.verification.how)));
  message->set_verification_failed_at(row.verification.failed_at);
  message->set_verification_error(row.verification.error);
}

void to_proto(const Session& row, v1::Session* message) {
  message->set_session_id(row.session_id);
  message->set_server_game_config_id(row.sgc_id);
  message->set_started_at(row.started_at);
  message->set_ended_at(row.ended_at);
  message->set_exit_code(row.exit_code);
  message->set_status(std::string(wire_text(row.status)));
  message->set_restored_from_backup_id(row.restored_from_backup_id);
  for (const auto& path : row.restored_paths) message->add_restored_paths(path);
  message->set_error_message(row.error_message);
  message->set_replaced_data(std::string(to_text(row.replaced_data)));
  message->set_progress_bytes(row.progress_bytes);
  message->set_total_bytes(row.total_bytes);
  message->set_created_at(row.created_at);
  message->set_waits_for_backup_id(row.waits_for_backup_id);
}

void to_proto(const Server& row, v1::Server* message) {
  message->set_server_id(row.server_id);
  message->set_name(row.name);
  message->set_status(row.online ? "online" : "offline");
  message->set_last_seen(row.last_seen);
  message->set_environment(row.environment);
  message->set_is_default(row.is_default);
}

void to_proto(const Game& row, v1::Game* message) {
  message->set_game_id(row.game_id);
  message->set_name(row.name);
  message->set_steam_app_id(row.steam_app_id);
}

void to_proto(const Profiles& profiles, const GameConfig& row, v1::GameConfig* message) {
  message->set_config_id(row.config_id);
  message->set_game_id(row.game_id);
  message->set_name(row.name);
  message->set_image(row.image);
  message->set_args_template(row.args_template);
  for (const auto& [name, value] : row.env) (*message->mutable_env_template())[name] = value;
  for (const auto& word : row.entrypoint) message->add_entrypoint(word);
  for (const auto& word : row.command) message->add_command(word);
  message->set_data_path(row.data_path);
  message->set_format(std::string(row.compression.format_text()));
  message->set_level(row.compression.level_text());
  message->set_profile(row.profile);
  layer_to_proto(row.handling, message->mutable_handling());
  const auto handling = effective_handling(profiles, row);
  if (!handling) return;
  v1::Handling& effective = *message->mutable_effective_handling();
  to_proto(*handling, &effective);
  message->set_stop_command(effective.stop_command());
  message->set_stop_grace_seconds(effective.stop_grace_seconds());
  *message->mutable_quiesce() = effective.quiesce();
  *message->mutable_resume() = effective.resume();
}

void to_proto(const Profile& profile, v1::Profile* message) {
  message->set_name(profile.name);
  message->set_title(profile.title);
  for (const auto& kind : profile.kinds) message->add_kinds(kind);
  to_proto(profile.handling, message->mutable_handling());
  message->set_source(profile.source);
  message->set_text(profile.text);
}

void to_proto(const ServerGameConfig& row, v1::ServerGameConfig* message) {
  message->set_server_game_config_id(row.sgc_id);
  message->set_server_id(row.server_id);
  message->set_game_config_id(row.game_config_id);
  for (const auto& binding : row.port_bindings) {
    v1::PortBinding* to = message->add_port_bindings();
    to->set_container_port(binding.container_port);
    to->set_host_port(binding.host_port);
    to->set_protocol(binding.protocol);
  }
  message->set_status(row.active ? "active" : "inactive");
  message->set_profile(row.profile);
  layer_to_proto(row.handling, message->mutable_handling());
}

}  // namespace manman::api
