#include <algorithm>
#include <deque>
#include <optional>

#include "base/secret.h"
#include "game/quiesce/console.h"
#include "game/rcon/rcon_client.h"

namespace manman {
namespace {

constexpr const char* kLoopback = "127.0.0.1";

// Lines go by RCON; the answers to them, and what the game writes to its log meanwhile, come back:
// some games tell only there that they are done.
class RconConsole final : public Console {
 public:
  RconConsole(std::unique_ptr<Console> log, RconPlace place)
      : log_(std::move(log)), place_(std::move(place)) {}

  Result<void> listen() override {
    answers_.clear();
    return log_->listen();
  }

  Result<void> send(std::string_view line, Deadline deadline,
                    const std::function<bool()>& stop) override {
    if (!client_) client_ = TRY(connect(deadline, stop));
    auto answer = client_->command(line, deadline, stop);
    if (!answer) {
      client_.reset();  // the next is sent over a new connection
      return std::unexpected(std::move(answer).error());
    }
    take_lines(*answer);
    return {};
  }

  Result<bool> read_answer(const std::function<bool(std::string_view)>& line) override {
    while (!answers_.empty()) {
      const std::string answer = std::move(answers_.front());
      answers_.pop_front();
      if (line(answer)) return true;
    }
    return log_->read_answer(line);
  }

  Result<bool> game_runs() override { return log_->game_runs(); }
  const GameInstance& game() const override { return log_->game(); }

 private:
  Result<RconClient> connect(Deadline deadline, const std::function<bool()>& stop) const {
    const std::string password =
        TRY(read_secret(place_.secret.parent_path(), place_.secret.filename().string()));
    return RconClient::connect(kLoopback, place_.port, password, deadline, stop);
  }

  void take_lines(std::string_view text) {
    while (!text.empty()) {
      const size_t end = std::min(text.find('\n'), text.size());
      std::string_view line = text.substr(0, end);
      if (line.ends_with('\r')) line.remove_suffix(1);
      answers_.emplace_back(line);
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }

  const std::unique_ptr<Console> log_;
  const RconPlace place_;
  std::optional<RconClient> client_;
  std::deque<std::string> answers_;
};

}  // namespace

Result<std::unique_ptr<Console>> open_console(Runtime& runtime, const GameInstance& game,
                                              const RconPlace& rcon) {
  auto console = make_stdin_console(runtime, game);
  if (rcon.port == 0) return console;
  return std::make_unique<RconConsole>(std::move(console), rcon);
}

}  // namespace manman
