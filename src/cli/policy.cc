#include "cli/backup_wait.h"
#include "cli/compression_options.h"
#include "cli/duration.h"
#include "cli/handling_options.h"
#include "cli/id_verbs.h"
#include "cli/listing.h"
#include "cli/output.h"
#include "cli/policy_verbs.h"
#include "cli/verbs.h"

namespace manman::cli {
namespace {

const Noun kNoun{"policy", "policy_id"};

// What a policy can be told. Texts that are empty, numbers of 0 and flags that are not given are
// not said.
struct PolicyOptions {
  int64_t id = 0;  // of the SGC when it is made, of the policy when it is changed
  std::string name, every, cron, zone, jitter, format, level;
  bool at_session_end = false;
  bool before_restore = false;
  bool paused = false;
  bool skip_unchanged = false;
  uint32_t bandwidth_kib = 0;
  std::vector<std::string> include, clear;
  HandlingOptions handling;
  KeepOptions keep;
  std::string verify;
  int verify_every_days = -1;
  int drill_every_days = -1;
  bool drill_starts_game = false;
};

void add_options(Command& command, PolicyOptions& options) {
  command.add("--every", options.every, "Due every so often, such as 30m or 6h").value("TIME");
  command
      .add("--cron", options.cron,
           "Due at these times: minute, hour, day of month, month, day of week; or @daily …")
      .value("EXPRESSION");
  command.add("--zone", options.zone, "The time zone of --cron, such as Europe/Berlin; none: UTC")
      .value("ZONE");
  command
      .add("--jitter", options.jitter,
           "Each time is late by up to this, so that many policies do not come at once")
      .value("TIME");
  command.add_flag("--at-session-end", options.at_session_end, "Due when a session has ended");
  command.add_flag("--before-restore", options.before_restore,
                   "A restore first makes a backup of what is there");
  command.add_flag("--paused", options.paused, "Nothing is made until it is resumed");
  add_compression(command, options.format, options.level, "as the game config says");
  command
      .add("--bandwidth-kib", options.bandwidth_kib,
           "Upload no faster, in KiB/s; the host's own limit counts too. 0: no limit")
      .value("N");
  command.add_flag("--skip-unchanged", options.skip_unchanged,
                   "No backup when nothing looks changed since the last one of the policy");
  add_backup_handling_options(command, options.handling);
  command
      .add("--include", options.include,
           "Take files in that are left out otherwise: a pattern; repeatable, after --leave-out")
      .value("PATTERN");
  add_keep_options(command, options.keep);
  command
      .add("--verify", options.verify,
           "What is done with a new backup before it is counted on: head (it is there, in its "
           "size), full (all of it is read), or nothing; none given: as the service does")
      .one_of({"none", "head", "full"});
  command
      .add("--verify-every-days", options.verify_every_days,
           "Read all of a backup again so long after it was looked at last; 0: never")
      .range(0, 36500)
      .value("N");
  command
      .add("--drill-every-days", options.drill_every_days,
           "So often the newest backup is unpacked and examined on its host; 0: never")
      .range(0, 36500)
      .value("N");
  command.add_flag("--drill-starts-game", options.drill_starts_game,
                   "Its game is started on what was unpacked, too, until it is ready");
}

void apply_verify(const PolicyOptions& options, v1::BackupPolicy& policy) {
  v1::VerificationRules verify;
  if (!options.verify.empty()) verify.set_after_upload(options.verify);
  if (options.verify_every_days >= 0) verify.set_every_days(options.verify_every_days);
  if (options.drill_every_days >= 0) verify.set_drill_every_days(options.drill_every_days);
  if (options.drill_starts_game) verify.set_drill_starts_game(true);
  if (verify.ByteSizeLong() != 0) *policy.mutable_verify() = verify;
}

Result<void> apply_schedule(const PolicyOptions& options, v1::BackupPolicy& policy) {
  if (!options.every.empty()) {
    const int32_t seconds = TRY(parse_duration("--every", options.every));
    if (seconds < 60 || seconds % 60 != 0)
      return fail(Code::kInvalidArgument, "--every '" + options.every + "': wants whole minutes");
    policy.set_every_minutes(seconds / 60);
  }
  if (!options.cron.empty()) policy.set_cron(options.cron);
  if (!options.zone.empty()) policy.set_zone(options.zone);
  if (!options.jitter.empty())
    policy.set_jitter_seconds(TRY(parse_duration("--jitter", options.jitter)));
  if (options.at_session_end) policy.set_at_session_end(true);
  if (options.before_restore) policy.set_before_restore(true);
  return {};
}

Result<void> apply(const PolicyOptions& options, v1::BackupPolicy& policy) {
  if (!options.name.empty()) policy.set_name(options.name);
  TRY(apply_schedule(options, policy));
  if (options.paused) policy.set_paused(true);
  if (!options.format.empty()) policy.set_format(options.format);
  if (!options.level.empty()) policy.set_level(options.level);
  if (options.bandwidth_kib != 0)
    policy.set_upload_bytes_per_second(int64_t{options.bandwidth_kib} << 10);
  if (options.skip_unchanged) policy.set_skip_unchanged(true);
  v1::Handling handling;
  TRY(apply(options.handling, handling));
  for (const std::string& pattern : options.include) handling.add_leave_out("!" + pattern);
  if (handling.ByteSizeLong() != 0) *policy.mutable_handling() = handling;
  apply(options.keep, *policy.mutable_keep());
  apply_verify(options, policy);
  return {};
}

Result<int> update(Context& context, const v1::UpdateBackupPolicyRequest& request) {
  const auto response = TRY(TRY(context.client())->call(request));
  TRY(print_item(context.globals, response.policy(), kNoun.id_field));
  return kOk;
}

void add_create(Command& group, Context& context) {
  Command command = group.command(
      "create", "Have backups of an SGC made by themselves",
      {"manman policy create --sgc 1 --name nightly --cron '30 4 * * *' --zone Europe/Berlin "
       "--jitter 10m --keep-daily 7 --keep-weekly 4",
       "manman policy create --sgc 1 --name often --every 30m --skip-unchanged --keep-last 48",
       "manman policy create --sgc 1 --name weekly --cron @weekly --verify full "
       "--verify-every-days 30 --drill-every-days 7",
       "manman policy create --sgc 1 --name safety --at-session-end --before-restore"});
  auto options = std::make_shared<PolicyOptions>();
  command.add_id("--sgc", options->id, "The SGC whose save data is backed up").required();
  command.add("--name", options->name, "Its name, one of its kind among those of the SGC")
      .required()
      .value("NAME");
  add_options(command, *options);
  command.on_run(context, [&context, options]() -> Result<int> {
    v1::CreateBackupPolicyRequest request;
    request.mutable_policy()->set_server_game_config_id(options->id);
    TRY(apply(*options, *request.mutable_policy()));
    const auto response = TRY(TRY(context.client())->call(request));
    TRY(print_item(context.globals, response.policy(), kNoun.id_field));
    return kOk;
  });
}

void add_update(Command& group, Context& context) {
  Command command = group.command(
      "update", "Change a policy; what is not given stays",
      {"manman policy update 1 --cron '0 5 * * *'", "manman policy update 1 --every 2h",
       "manman policy update 1 --clear skip_unchanged --clear leave_out --keep-daily 14"});
  auto options = std::make_shared<PolicyOptions>();
  command.add_id("policy", options->id, "Its id").required();
  command.add("--name", options->name, "Another name").value("NAME");
  command
      .add("--clear", options->clear,
           "Say nothing of this field any more (one of 'policy get', or of its handling); "
           "repeatable, and before what else is said here")
      .value("FIELD");
  add_options(command, *options);
  command.on_run(context, [&context, options]() -> Result<int> {
    v1::UpdateBackupPolicyRequest request;
    request.mutable_policy()->set_policy_id(options->id);
    request.mutable_clear()->Assign(options->clear.begin(), options->clear.end());
    TRY(apply(*options, *request.mutable_policy()));
    return update(context, request);
  });
}

void add_pause(Command& group, Context& context, const std::string& verb, bool paused,
               const std::string& description) {
  Command command = group.command(verb, description, {"manman policy " + verb + " 1"});
  auto id = std::make_shared<int64_t>();
  command.add_id("policy", *id, "Its id").required();
  command.on_run(context, [&context, id, paused]() -> Result<int> {
    v1::UpdateBackupPolicyRequest request;
    request.mutable_policy()->set_policy_id(*id);
    request.mutable_policy()->set_paused(paused);
    return update(context, request);
  });
}

void add_list(Command& group, Context& context) {
  Command command = group.command("list", "List the policies, newest first",
                                  {"manman policy list", "manman policy list --sgc 1 -o json"});
  struct Options {
    ListOptions list;
    int64_t sgc = 0;
  };
  auto options = std::make_shared<Options>();
  add_list_options(command, options->list);
  command.add_id("--sgc", options->sgc, "Only those of this SGC");
  command.on_run(context, [&context, options]() -> Result<int> {
    v1::ListBackupPoliciesRequest request;
    request.set_server_game_config_id(options->sgc);
    const ListShape shape{"policy_id",
                          {{"POLICY", "policy_id"},
                           {"SGC", "server_game_config_id"},
                           {"NAME", "name"},
                           {"PAUSED", "paused"},
                           {"CRON", "cron"},
                           {"MINUTES", "every_minutes"},
                           {"NEXT", "next_due_local"}}};
    return list_items(context, request, options->list, shape);
  });
}

void add_run_now(Command& group, Context& context) {
  Command command = group.command("run-now", "Make a backup as the policy does, now",
                                  {"manman policy run-now 1", "manman policy run-now 1 --wait"});
  struct Options {
    int64_t id = 0;
    bool wait = false;
  };
  auto options = std::make_shared<Options>();
  command.add_id("policy", options->id, "Its id").required();
  add_wait(command, options->wait);
  command.on_run(context, [&context, options]() -> Result<int> {
    v1::RunBackupPolicyRequest request;
    request.set_policy_id(options->id);
    const auto response = TRY(TRY(context.client())->call(request));
    return show_begun(context, response.backup(), options->wait);
  });
}

void add_runs(Command& group, Context& context) {
  Command command = group.command(
      "runs", "What was made of each occasion on which a policy was due, newest first",
      {"manman policy runs 1", "manman policy runs 1 --limit 0 -o json"});
  struct Options {
    ListOptions list;
    int64_t policy = 0;
  };
  auto options = std::make_shared<Options>();
  command.add_id("policy", options->policy, "Its id").required();
  add_list_options(command, options->list);
  command.on_run(context, [&context, options]() -> Result<int> {
    v1::ListPolicyRunsRequest request;
    request.set_policy_id(options->policy);
    const ListShape shape{"run_id",
                          {{"RUN", "run_id"},
                           {"TRIGGER", "trigger"},
                           {"DUE", "due_at"},
                           {"OUTCOME", "outcome"},
                           {"BACKUP", "backup_id"},
                           {"MISSED", "missed_count"},
                           {"REASON", "reason"}}};
    return list_items(context, request, options->list, shape);
  });
}

}  // namespace

void add_keep_options(Command& command, KeepOptions& keep) {
  const auto add = [&](const std::string& name, int& value, const std::string& what) {
    command.add("--keep-" + name, value, "Keep " + what + "; -1: all")
        .range(-1, 1'000'000)
        .value("N");
  };
  add("last", keep.last, "the last N backups");
  add("hourly", keep.hourly, "the newest of each of the last N hours that have one");
  add("daily", keep.daily, "the same by days");
  add("weekly", keep.weekly, "the same by weeks");
  add("monthly", keep.monthly, "the same by months");
  add("yearly", keep.yearly, "the same by years");
  command.add("--keep-within", keep.within, "Keep all of such a time before the newest: 1y6m7d12h")
      .value("SPAN");
  command
      .add("--keep-total-mib", keep.total_mib,
           "Of what is kept, the newest that are no larger together")
      .value("MIB");
}

void apply(const KeepOptions& options, v1::KeepRules& keep) {
  if (options.last != 0) keep.set_last(options.last);
  if (options.hourly != 0) keep.set_hourly(options.hourly);
  if (options.daily != 0) keep.set_daily(options.daily);
  if (options.weekly != 0) keep.set_weekly(options.weekly);
  if (options.monthly != 0) keep.set_monthly(options.monthly);
  if (options.yearly != 0) keep.set_yearly(options.yearly);
  if (!options.within.empty()) keep.set_within(options.within);
  if (options.total_mib != 0) keep.set_max_total_bytes(int64_t{options.total_mib} << 20);
}

void add_policy(Command& app, Context& context) {
  Command group = app.group("policy", "Backups that are made by themselves: when, how, how long");
  add_create(group, context);
  add_get<v1::GetBackupPolicyRequest>(group, context, kNoun);
  add_list(group, context);
  add_update(group, context);
  add_delete<v1::DeleteBackupPolicyRequest>(group, context, kNoun,
                                            "Delete a policy; its backups stay");
  add_pause(group, context, "pause", true, "Make nothing until it is resumed");
  add_pause(group, context, "resume", false, "Go on, from the next time that it is due");
  add_run_now(group, context);
  add_runs(group, context);
  add_policy_preview(group, context);
}

}  // namespace manman::cli
