#include "api/policy_fields.h"

#include "api/fields.h"
#include "api/handling_fields.h"
#include "base/compression.h"

namespace manman::api {
namespace {

namespace protobuf = google::protobuf;

constexpr int kFirstOfTheService = 20;  // fields of the message from this number on

Result<KeepRules> keep_from(const v1::KeepRules& said) {
  KeepRules keep{.last = said.last(),
                 .hourly = said.hourly(),
                 .daily = said.daily(),
                 .weekly = said.weekly(),
                 .monthly = said.monthly(),
                 .yearly = said.yearly(),
                 .max_total_bytes = said.max_total_bytes()};
  keep.within = TRY(in("keep.within", calendar_span_from(said.within())));
  TRY(check(keep));
  return keep;
}

void to_proto(const KeepRules& keep, v1::KeepRules* message) {
  if (keep.last != 0) message->set_last(keep.last);
  if (keep.hourly != 0) message->set_hourly(keep.hourly);
  if (keep.daily != 0) message->set_daily(keep.daily);
  if (keep.weekly != 0) message->set_weekly(keep.weekly);
  if (keep.monthly != 0) message->set_monthly(keep.monthly);
  if (keep.yearly != 0) message->set_yearly(keep.yearly);
  if (keep.within != CalendarSpan()) message->set_within(to_text(keep.within));
  if (keep.max_total_bytes != 0) message->set_max_total_bytes(keep.max_total_bytes);
}

Result<int> days_from(const char* field, int32_t said) {
  if (said < 0 || said > PolicyVerifyRules::kMaxDays)
    return bad_field(field, "must be from 0 to " + std::to_string(PolicyVerifyRules::kMaxDays));
  return said;
}

Result<PolicyVerifyRules> verify_from(const v1::VerificationRules& said) {
  PolicyVerifyRules rules;
  if (!said.after_upload().empty()) {
    rules.after_upload = verify_rule_from(said.after_upload());
    if (!rules.after_upload)
      return bad_field("verify.after_upload",
                       "must be none, head or full, not \"" + said.after_upload() + "\"");
  }
  if (said.has_every_days())
    rules.every_days = TRY(days_from("verify.every_days", said.every_days()));
  rules.drill_every_days = TRY(days_from("verify.drill_every_days", said.drill_every_days()));
  rules.drill_starts_game = said.drill_starts_game();
  if (rules.drill_starts_game && rules.drill_every_days == 0)
    return bad_field("verify.drill_starts_game", "wants verify.drill_every_days");
  return rules;
}

void to_proto(const PolicyVerifyRules& rules, v1::VerificationRules* message) {
  if (rules.after_upload) message->set_after_upload(std::string(rule_text(*rules.after_upload)));
  if (rules.every_days) message->set_every_days(*rules.every_days);
  if (rules.drill_every_days != 0) message->set_drill_every_days(rules.drill_every_days);
  if (rules.drill_starts_game) message->set_drill_starts_game(true);
}

Result<void> clear_field(const std::string& name, v1::BackupPolicy& said) {
  const auto* field = v1::BackupPolicy::descriptor()->FindFieldByName(name);
  if (name == "name") return bad_field("clear", "a policy has a name");
  if (field != nullptr && field->number() > 2 && field->number() < kFirstOfTheService) {
    said.GetReflection()->ClearField(&said, field);
    return {};
  }
  protobuf::RepeatedPtrField<std::string> of_handling;
  *of_handling.Add() = name;
  if (name == "profile" || name == "all")
    return bad_field("clear", "\"" + name + "\" is no field that can be cleared");
  return change_handling(of_handling, {}, *said.mutable_handling());
}

// Of the two ways to be due by time, the one that is said last counts.
void make_room_for_schedule(const v1::BackupPolicy& news, v1::BackupPolicy& said) {
  if (news.every_minutes() != 0) {
    said.clear_cron();
    said.clear_zone();
  }
  if (!news.cron().empty()) said.clear_every_minutes();
}

}  // namespace

Result<BackupPolicy> policy_from(const v1::BackupPolicy& said) {
  BackupPolicy policy{.policy_id = said.policy_id(), .sgc_id = said.server_game_config_id()};
  TRY(check_name("name", said.name()));
  policy.name = said.name();
  policy.schedule = {.every_minutes = said.every_minutes(),
                     .cron = said.cron(),
                     .zone = said.zone(),
                     .jitter_seconds = said.jitter_seconds(),
                     .at_session_end = said.at_session_end(),
                     .before_restore = said.before_restore()};
  TRY(DueTimes::of(policy.schedule, said.policy_id(), said.created_at()));
  policy.paused = said.paused();
  if (!said.format().empty()) TRY(Compression::parse(said.format(), said.level()));
  policy.format = said.format();
  policy.level = said.level();
  policy.handling = TRY(layer_from(said.handling()));
  if (said.upload_bytes_per_second() < 0)
    return bad_field("upload_bytes_per_second", "must not be negative");
  policy.upload_bytes_per_second = said.upload_bytes_per_second();
  policy.skip_unchanged = said.skip_unchanged();
  policy.keep = TRY(keep_from(said.keep()));
  policy.verify = TRY(verify_from(said.verify()));
  policy.created_at = said.created_at();
  return policy;
}

void to_proto(const BackupPolicy& row, v1::BackupPolicy* message) {
  message->set_policy_id(row.policy_id);
  message->set_server_game_config_id(row.sgc_id);
  message->set_name(row.name);
  const Schedule& schedule = row.schedule;
  if (schedule.every_minutes != 0) message->set_every_minutes(schedule.every_minutes);
  if (!schedule.cron.empty()) message->set_cron(schedule.cron);
  if (!schedule.zone.empty()) message->set_zone(schedule.zone);
  if (schedule.jitter_seconds != 0) message->set_jitter_seconds(schedule.jitter_seconds);
  message->set_at_session_end(schedule.at_session_end);
  message->set_before_restore(schedule.before_restore);
  message->set_paused(row.paused);
  if (!row.format.empty()) message->set_format(row.format);
  if (!row.level.empty()) message->set_level(row.level);
  layer_to_proto(row.handling, message->mutable_handling());
  if (row.upload_bytes_per_second != 0)
    message->set_upload_bytes_per_second(row.upload_bytes_per_second);
  message->set_skip_unchanged(row.skip_unchanged);
  to_proto(row.keep, message->mutable_keep());
  if (row.verify != PolicyVerifyRules()) to_proto(row.verify, message->mutable_verify());
  message->set_created_at(row.created_at);
  message->set_updated_at(row.updated_at);
  message->set_next_due_at(row.next_due_at);
  const auto zone = TimeZone::find(schedule.zone);
  if (row.next_due_at != 0 && zone) message->set_next_due_local(zone->show(row.next_due_at));
}

Result<void> change_policy(const v1::UpdateBackupPolicyRequest& change, v1::BackupPolicy& said) {
  for (const std::string& name : change.clear()) TRY(clear_field(name, said));
  v1::BackupPolicy news = change.policy();
  make_room_for_schedule(news, said);
  if (news.has_handling()) TRY(change_handling({}, news.handling(), *said.mutable_handling()));
  news.clear_handling();
  news.set_server_game_config_id(said.server_game_config_id());
  news.set_created_at(said.created_at());
  said.MergeFrom(news);
  return {};
}

void to_proto(const PolicyRun& row, v1::PolicyRun* message) {
  message->set_run_id(row.run_id);
  message->set_policy_id(row.policy_id);
  message->set_trigger(std::string(to_text(row.trigger)));
  message->set_due_at(row.due_at);
  message->set_session_id(row.session_id);
  message->set_outcome(std::string(to_text(row.outcome)));
  message->set_reason(row.reason);
  message->set_backup_id(row.backup_id);
  message->set_missed_count(row.missed_count);
  message->set_noted_at(row.at);
}

}  // namespace manman::api
