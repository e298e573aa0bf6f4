#include "live/sqlite_connection.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <cstring>
#include <mutex>

#include "live/sqlite_copy.h"

namespace manman::live {
namespace {

// Two file systems for SQLite, both the system's own but for what they let happen.
//
// That for the game's databases opens what is there, for reading. Names are taken as they come:
// they begin with a descriptor of the folder, which resolving links would lose.
//
// That for the copies is for what runs in the scratch alone. A journal may name another file, a
// "super-journal", that SQLite would look for and remove after the recovery, wherever it stands: it
// is told that there is one (so that the journal counts, which gives one committed state in any
// case), finds it empty, and removes nothing.
sqlite3_vfs* parent() {
  static sqlite3_vfs* const vfs = ::sqlite3_vfs_find("unix");
  return vfs;
}

int take_name(sqlite3_vfs*, const char* name, int size, char* out) {
  if (std::strlen(name) >= static_cast<size_t>(size)) return SQLITE_CANTOPEN;
  std::strcpy(out, name);
  return SQLITE_OK;
}

int remove_nothing(sqlite3_vfs*, const char*, int) {
  return SQLITE_OK;
}

constexpr int kOwnFiles = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL;

int open_for_reading(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* got) {
  if ((flags & kOwnFiles) == 0) return SQLITE_CANTOPEN;
  constexpr int kWriting = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXCLUSIVE |
                           SQLITE_OPEN_DELETEONCLOSE;
  return parent()->xOpen(parent(), name, file, (flags & ~kWriting) | SQLITE_OPEN_READONLY, got);
}

int open_copy(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* got) {
  if ((flags & SQLITE_OPEN_SUPER_JOURNAL) != 0) {
    constexpr int kReading = SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_READONLY;
    return parent()->xOpen(parent(), "/dev/null", file, kReading, got);
  }
  if ((flags & kOwnFiles) == 0) return SQLITE_CANTOPEN;
  return parent()->xOpen(parent(), name, file, flags, got);
}

int exists_in_scratch(sqlite3_vfs*, const char* name, int flags, int* yes) {
  if (!companion_suffix(name).empty()) return parent()->xAccess(parent(), name, flags, yes);
  *yes = 1;
  return SQLITE_OK;
}

thread_local bool keep_hands_off = false;

int change_owner(int fd, uid_t user, gid_t group) {
  return keep_hands_off ? 0 : ::fchown(fd, user, group);
}

int change_mode(int fd, mode_t mode) {
  return keep_hands_off ? 0 : ::fchmod(fd, mode);
}

void register_vfs() {
  static std::once_flag once;
  std::call_once(once, [] {
    static sqlite3_vfs reading = *parent();
    reading.pNext = nullptr;
    reading.zName = kReadingVfs;
    reading.xOpen = open_for_reading;
    reading.xDelete = remove_nothing;
    reading.xFullPathname = take_name;
    static sqlite3_vfs copy = reading;
    copy.zName = kCopyVfs;
    copy.xOpen = open_copy;
    copy.xAccess = exists_in_scratch;
    // These two are of the whole process.
    parent()->xSetSystemCall(parent(), "fchown",
                             reinterpret_cast<sqlite3_syscall_ptr>(change_owner));
    parent()->xSetSystemCall(parent(), "fchmod",
                             reinterpret_cast<sqlite3_syscall_ptr>(change_mode));
    ::sqlite3_vfs_register(&reading, 0);
    ::sqlite3_vfs_register(&copy, 0);
  });
}

}  // namespace

HandsOff::HandsOff() {
  keep_hands_off = true;
}

HandsOff::~HandsOff() {
  keep_hands_off = false;
}

std::string uri_of(int folder, std::string_view name, std::string_view parameters) {
  std::string uri = "file:/proc/self/fd/" + std::to_string(folder) + "/";
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 && static_cast<unsigned char>(c) < 128) {
      uri += c;
      continue;
    }
    uri += '%';
    uri += kDigits[static_cast<unsigned char>(c) >> 4];
    uri += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return uri + std::string(parameters);
}

std::pair<Connection, int> connect(const std::string& uri, int flags, const char* vfs) {
  register_vfs();
  sqlite3* raw = nullptr;
  constexpr int kFlags = SQLITE_OPEN_URI | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_PRIVATECACHE;
  int code = ::sqlite3_open_v2(uri.c_str(), &raw, flags | kFlags, vfs);
  Connection db(raw);
  if (code != SQLITE_OK) return {nullptr, code};
  ::sqlite3_extended_result_codes(raw, 1);
  for (const auto& [option, value] : {std::pair{SQLITE_DBCONFIG_DEFENSIVE, 1},
                                      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                                      {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
                                      {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
                                      {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
                                      {SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1}})
    ::sqlite3_db_config(raw, option, value, nullptr);
  sqlite3_int64 no_map = 0;
  ::sqlite3_file_control(raw, "main", SQLITE_FCNTL_MMAP_SIZE, &no_map);
  return {std::move(db), SQLITE_OK};
}

}  // namespace manman::live
