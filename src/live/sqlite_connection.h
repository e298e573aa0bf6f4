#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

// Connections to SQLite databases that are not trusted: a game's own, and copies of them.
namespace manman::live {

// The file systems that connections are opened with: that of the game's databases, for reading
// only, and that of the copies in the scratch.
inline constexpr const char* kReadingVfs = "manman-live-reading";
inline constexpr const char* kCopyVfs = "manman-live-copy";

struct CloseConnection {
  void operator()(sqlite3* db) const { ::sqlite3_close_v2(db); }
};
using Connection = std::unique_ptr<sqlite3, CloseConnection>;

// The connection and SQLite's code. It has little memory, maps nothing, trusts no schema, and
// leaves -wal and -shm alone when it is closed.
std::pair<Connection, int> connect(const std::string& uri, int flags, const char* vfs);

// As a URI, by the folder's descriptor: no symlink that is put on the way leads elsewhere, and
// names are never too long for SQLite.
std::string uri_of(int folder, std::string_view name, std::string_view parameters);

// Opening a -wal or -shm as root gives it the database's owner and mode. Nothing of the kind while
// one of these is alive in this thread: it reads a game's.
struct HandsOff {
  HandsOff();
  HandsOff(const HandsOff&) = delete;
  HandsOff& operator=(const HandsOff&) = delete;
  ~HandsOff();
};

}  // namespace manman::live
