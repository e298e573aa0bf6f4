#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "domain/handling.h"

namespace manman {

// What is known of a game: how it is handled, and the kinds of files that it has.
struct Profile {
  std::string name;  // a-z 0-9 -; also the name of its file
  std::string title;
  std::vector<std::string> kinds;
  Handling handling;   // all of it
  std::string layer;   // what it says of it, for merged_handling()
  std::string text;    // the file, with its comments
  std::string source;  // "built in", or the path of the file

  // The file NAME.json: a JSON object with // comments, of `name`, `title`, `kinds` and the fields
  // of a handling. What is wrong (JSON, an unknown or repeated field, an expression, a pattern,
  // quiesce without resume, a name that is not the file's) is kInvalidArgument naming the file and
  // the field.
  static Result<Profile> parse(const std::filesystem::path& file, std::string text);
};

// The profiles that a process knows, by name.
class Profiles {
 public:
  static constexpr std::string_view kGeneric = "generic";  // of a config that names none

  // In the place of one of the same name.
  void add(Profile profile);
  // "" is the generic one. One that is not there is kInvalidArgument listing those that are.
  Result<const Profile*> find(std::string_view name) const;
  const std::map<std::string, Profile, std::less<>>& all() const { return by_name_; }

 private:
  std::map<std::string, Profile, std::less<>> by_name_;
};

}  // namespace manman
