#include "api/adopt.h"

#include <algorithm>
#include <utility>

#include "api/events.h"
#include "api/fields.h"
#include "api/game_config_fields.h"
#include "api/handling_fields.h"
#include "base/log.h"

namespace manman::api {
namespace {

constexpr std::string_view kRecovered = "recovered";
constexpr size_t kMaxDescriptionBytes = 1000;

// What stands for what an archive without an origin does not say. The game's name is that of no
// other SGC.
std::string placeholder_game(int64_t sgc_id) {
  return std::string(kRecovered) + " SGC " + std::to_string(sgc_id);
}

// The names by which an SGC is known again.
struct Names {
  std::string server;
  std::string environment;
  std::string game;
  std::string config;
  bool operator==(const Names&) const = default;
  std::string text() const {
    return "server " + server + " (" + environment + "), game " + game + ", config " + config;
  }
};

Names names_in(const Origin& origin) {
  return {origin.server.name, origin.server.environment, origin.game.name, origin.config.name};
}

Names placeholder_names(int64_t sgc_id) {
  return {std::string(kRecovered), std::string(kRecovered), placeholder_game(sgc_id),
          std::string(kRecovered)};
}

Result<Names> names_of(db::Transaction& tx, const ServerGameConfig& sgc) {
  const Server server = TRY(db::servers::get(tx, sgc.server_id));
  const GameConfig config = TRY(db::game_configs::get(tx, sgc.game_config_id));
  const Game game = TRY(db::games::get(tx, config.game_id));
  return Names{server.name, server.environment, game.name, config.name};
}

template <typename T>
Result<std::optional<T>> if_there(Result<T> row) {
  if (row) return std::optional<T>(*std::move(row));
  if (row.error().code == Code::kNotFound) return std::optional<T>();
  return std::unexpected(std::move(row).error());
}

// A bucket may hold what anybody has put there: an origin is checked as a request is.
Result<void> check(Origin& origin) {
  TRY(check_name("server.name", origin.server.name));
  TRY(check_environment("server.environment", origin.server.environment));
  TRY(check_name("game.name", origin.game.name));
  TRY(check_line("game.steam_app_id", origin.game.steam_app_id));
  origin.config.game_id = 1;  // is not known yet
  TRY(in("config", complete_and_check(origin.config)));
  TRY(complete_and_check(origin.sgc.port_bindings));
  TRY(check_text("description", origin.description, kMaxDescriptionBytes));
  if (origin.mark.size() > 100) return bad_field("mark", "is too long");
  return {};
}

// What an object says of how a game is handled, as a request would say it; "" when it can't be
// used.
std::string checked_layer(const std::string& layer) {
  v1::Handling said;
  layer_to_proto(layer, &said);
  const auto again = layer_from(said);
  return again ? *again : "";
}

Result<Server> server_for(db::Transaction& tx, const Names& names, int64_t id) {
  if (auto there = TRY(db::servers::find(tx, names.server, names.environment))) return *there;
  return db::servers::adopt(
      tx, {.server_id = id, .name = names.server, .environment = names.environment});
}

Result<Game> game_for(db::Transaction& tx, const Game& game) {
  if (auto there = TRY(db::games::find(tx, game.name))) return *there;
  return db::games::adopt(tx, game);
}

Result<GameConfig> config_for(db::Transaction& tx, const GameConfig& config) {
  if (auto there = TRY(db::game_configs::find(tx, config.game_id, config.name))) return *there;
  return db::game_configs::adopt(tx, config);
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

// Whether archives that do not say so are of this SGC: it stands for them, or was made again from
// others of the same folder.
Result<bool> was_adopted(db::Transaction& tx, const std::string& bucket, int64_t sgc_id) {
  const std::string folder =
      "s3://" + bucket + "/" + std::string(kBackupPrefix) + std::to_string(sgc_id);
  return db::backups::any_adopted(tx, sgc_id, folder + "/", folder + "0");
}

}  // namespace

struct Adopter::Content {
  std::optional<Origin> origin;
  uint64_t entries = 0;
  uint64_t data_size_bytes = 0;
  std::string sha256;  // "" unless all of it was read
};

Result<void> Adopter::prepare() {
  for (const auto& [from, to] : wish_.sgcs) {
    TRY(check_id("sgcs.from", from));
    TRY(check_id("sgcs.to", to));
    const int moved = TRY(
        context_.database.transact([&, from = from, to = to](db::Transaction& tx) -> Result<int> {
          TRY(db::server_game_configs::get(tx, to));
          const auto old = TRY(if_there(db::server_game_configs::get(tx, from)));
          if (from == to || !old || TRY(names_of(tx, *old)) != placeholder_names(from)) return 0;
          return db::backups::move_adopted(tx, from, to);
        }));
    if (moved > 0)
      log_info({.sgc_id = to}, "{} backups that were adopted for SGC {} belong to it", moved, from);
  }
  return {};
}

Result<void> Adopter::adopt(Finding& finding, Of which) {
  const auto leave = [&](const Error& error) {
    finding.outcome = "left";
    finding.detail = error.text();
    return Result<void>();
  };
  const auto is_of_the_archive = [](const Error& error) {
    return error.code == Code::kDataLoss || error.code == Code::kInvalidArgument ||
           error.code == Code::kFailedPrecondition || error.code == Code::kAlreadyExists ||
           error.code == Code::kUnimplemented || error.code == Code::kNotFound;
  };
  if (finding.kind != FindingKind::kObjectWithoutRow) return {};
  const auto key = backup_key_from(finding.key);
  if (!key) return {};
  auto content = read(finding, false);
  if (content && !content->origin && which == Of::kWithOrigin) return {};
  if (content && wish_.full) content = read(finding, true);
  if (!content)
    return is_of_the_archive(content.error()) ? leave(content.error())
                                              : std::unexpected(content.error());
  const auto made = context_.database.transact([&](db::Transaction& tx) -> Result<std::string> {
    std::string rows = TRY(make_rows(tx, finding, *key, *content));
    if (!rows.empty())
      TRY(note_event(context_, tx,
                     {.kind = EventKind::kAuditAdopted,
                      .sgc_id = key->sgc_id,
                      .backup_id = key->backup_id,
                      .message = finding.key + ": " + rows}));
    return rows;
  });
  if (!made)
    return is_of_the_archive(made.error()) ? leave(made.error()) : std::unexpected(made.error());
  if (made->empty()) return {};
  finding.outcome = "adopted";
  finding.detail = *made;
  log_info({.sgc_id = key->sgc_id}, "{} is adopted: {}", finding.key, *made);
  return {};
}

// Its structure is checked by the index; only with `full` are its contents.
Result<Adopter::Content> Adopter::read(const Finding& finding, bool full) const {
  const auto archive = TRY(full ? open_object_in_order(context_.store, finding.key)
                                : open_object(context_.store, finding.key));
  Content content;
  const std::string said = TRY(archive::origin(*archive));
  if (!said.empty()) {
    content.origin = TRY(in("its origin", Origin::parse(said)));
    TRY(in("its origin", check(*content.origin)));
  }
  if (full) {
    const auto verified = TRY(archive::verify(*archive, 0, nullptr));
    content.entries = verified.entries;
    content.data_size_bytes = verified.data_size_bytes;
    content.sha256 = to_hex(verified.sha256);
    return content;
  }
  auto listed = archive::list(
      *archive,
      [&](const archive::Entry& entry) {
        content.entries++;
        content.data_size_bytes += entry.size_bytes;
        return true;
      },
      archive::WithoutIndex::kRefuse);
  if (!listed && listed.error().code == Code::kFailedPrecondition && wish_.full) return content;
  if (!listed && listed.error().code == Code::kFailedPrecondition)
    return std::unexpected(Error(listed.error()).with_hint("--full reads all of it instead"));
  TRY(std::move(listed));
  return content;
}

// What was made, for a person; "" when it has its row by now.
Result<std::string> Adopter::make_rows(db::Transaction& tx, const Finding& finding,
                                       const BackupKey& key, const Content& content) const {
  const std::string url = ObjectUrl{context_.store.bucket(), finding.key}.text();
  const auto rows = TRY(db::backups::placed_at(tx, url));
  const auto has_it = [](const auto& row) {
    return is_active(row.status) || row.status == BackupStatus::kCompleted;
  };
  if (std::ranges::any_of(rows, has_it)) return std::string();
  std::string note;
  Backup row;
  row.sgc_id = TRY(sgc_for(tx, key, content, note));
  row.backup_id = key.backup_id;
  row.s3_url = url;
  row.size_bytes = static_cast<int64_t>(finding.object.size_bytes);
  row.status = BackupStatus::kCompleted;
  row.compression = Compression::default_of(key.format);
  row.sha256 = content.sha256;
  row.entries = static_cast<int64_t>(content.entries);
  row.total_bytes = row.progress_bytes = static_cast<int64_t>(content.data_size_bytes);
  row.created_at = row.finished_at = finding.object.modified_at;
  row.adopted_at = context_.clock.now_s();
  if (content.origin) {
    row.created_at = content.origin->created_at;
    row.description = content.origin->description;
    row.mark = content.origin->mark;
  }
  row.started_at = row.created_at;
  if (!content.sha256.empty()) row.verification.found_good(VerifiedHow::kFull, row.adopted_at);
  const int64_t id = TRY(db::backups::adopt(tx, row));
  // A host knows its sessions by their numbers, and may still have folders of any that there were:
  // numbers that are larger than any counted ones have never been given.
  TRY(db::sessions::pass_ids(tx, context_.clock.now_s()));
  std::string text = "backup " + std::to_string(id) + " of SGC " + std::to_string(row.sgc_id);
  if (id != key.backup_id)
    text += " (backup " + std::to_string(key.backup_id) + " is another one here)";
  return text + note;
}

Result<int64_t> Adopter::sgc_for(db::Transaction& tx, const BackupKey& key, const Content& content,
                                 std::string& note) const {
  if (const auto mapped = wish_.sgcs.find(key.sgc_id); mapped != wish_.sgcs.end())
    return TRY(db::server_game_configs::get(tx, mapped->second))
  .sgc_id;
  Origin origin = content.origin.value_or(Origin());
  if (content.origin && (origin.sgc.sgc_id != key.sgc_id || origin.backup_id != key.backup_id))
    return std::unexpected(
        Error{Code::kFailedPrecondition,
              "its index says that it is backup " + std::to_string(origin.backup_id) + " of SGC " +
                  std::to_string(origin.sgc.sgc_id) + ": it was copied or moved here"}
            .with_hint("--sgc " + std::to_string(key.sgc_id) +
                       "=SGC takes it for a backup of that SGC"));
  const Names names = content.origin ? names_in(origin) : placeholder_names(key.sgc_id);
  if (const auto there = TRY(if_there(db::server_game_configs::get(tx, key.sgc_id)))) {
    const Names others = TRY(names_of(tx, *there));
    if (others == names) return key.sgc_id;
    if (!content.origin && TRY(was_adopted(tx, context_.store.bucket(), key.sgc_id)))
      return key.sgc_id;
    return std::unexpected(
        Error{Code::kFailedPrecondition,
              "SGC " + std::to_string(key.sgc_id) + " is another one in this database (" +
                  others.text() + "); the archive " +
                  (content.origin ? "is of " + names.text() : "does not say what it is of")}
            .with_hint("--sgc " + std::to_string(key.sgc_id) +
                       "=SGC says which SGC of this database its backups belong to; deploy one "
                       "first if there is none"));
  }
  if (!content.origin) {
    note += "; it does not say what it is of: deploy its game, and run this again with --sgc " +
            std::to_string(key.sgc_id) + "=SGC";
    origin.game.name = names.game;
    origin.config.name = names.config;
  }
  origin.config.handling = checked_layer(origin.config.handling);
  origin.sgc.handling = checked_layer(origin.sgc.handling);
  const Server server = TRY(server_for(tx, names, origin.server.server_id));
  origin.config.game_id = TRY(game_for(tx, origin.game))
  .game_id;
  const GameConfig config = TRY(config_for(tx, origin.config));
  if (const auto handled = effective_handling(context_.config.profiles, config, origin.sgc);
      !handled)
    note += "; how its game is handled has to be said anew: " + handled.error().message;
  if (!origin.env_names.empty() && config.env.empty())
    note += "; its environment is not in the archive (" + joined(origin.env_names) +
            "): where the game needs it, deploy a config that has it";
  return TRY(db::server_game_configs::adopt(tx, {.sgc_id = key.sgc_id,
                                                 .server_id = server.server_id,
                                                 .game_config_id = config.config_id,
                                                 .port_bindings = origin.sgc.port_bindings,
                                                 .active = content.origin.has_value(),
                                                 .profile = origin.sgc.profile,
                                                 .handling = origin.sgc.handling}))
  .sgc_id;
}

}  // namespace manman::api
