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
  message->set_verification_failed_how(std::string(to_text(row.verification.failed_how)));
  message->set_verification_due(std::string(to_text(row.verification.due)));
}

void to_proto(const Drill& row, v1::Drill* message) {
  message->set_drill_id(row.drill_id);
  message->set_backup_id(row.backup_id);
  message->set_server_game_config_id(row.sgc_id);
  message->set_server_id(row.server_id);
  message->set_policy_id(row.policy_id);
  message->set_start_game(row.start_game);
  message->set_status(std::string(to_text(row.status)));
  message->set_error_message(row.error_message);
  for (const auto& finding : row.findings) message->add_findings(finding);
  message->set_finding_count(row.finding_count);
  message->set_examined(row.examined);
  message->set_unexamined_count(row.unexamined_count);
  message->set_created_at(row.created_at);
  message->set_started_at(row.started_at);
  message->set_finished_at(row.finished_at);
  message->set_progress_bytes(row.progress_bytes);
  message->set_total_bytes(row.total_bytes);
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

void to_proto(const BackupLimits& limits, v1::BackupLimits* message) {
  message->set_max_concurrent_backups(limits.max_concurrent_backups);
  message->set_max_total_bytes(limits.max_total_bytes);
  message->set_max_manual_per_hour(limits.max_manual_per_hour);
}

void to_proto(const Server& row, v1::Server* message) {
  message->set_server_id(row.server_id);
  message->set_name(row.name);
  message->set_status(row.online ? "online" : "offline");
  message->set_last_seen(row.last_seen);
  message->set_environment(row.environment);
  message->set_is_default(row.is_default);
  to_proto(row.limits, message->mutable_limits());
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
  to_proto(row.limits, message->mutable_limits());
  layer_to_proto(row.handling, message->mutable_handling());
}

void to_proto(const Event& row, v1::Event* message) {
  message->set_event_id(row.event_id);
  message->set_at_ms(row.at_ms);
  message->set_kind(std::string(to_text(row.kind)));
  message->set_actor(row.actor);
  message->set_server_id(row.server_id);
  message->set_server_game_config_id(row.sgc_id);
  message->set_session_id(row.session_id);
  message->set_backup_id(row.backup_id);
  message->set_policy_id(row.policy_id);
  message->set_message(row.message);
}

void to_proto(const Webhook& row, v1::Webhook* message) {
  message->set_webhook_id(row.webhook_id);
  message->set_name(row.name);
  message->set_url(row.url);
  for (const EventKind kind : row.kinds) message->add_kinds(std::string(to_text(kind)));
  message->set_paused(row.paused);
  message->set_created_at(row.created_at);
  message->set_last_error(row.last_error);
  message->set_retry_at(row.retry_at_ms / 1000);
}

}  // namespace manman::api
