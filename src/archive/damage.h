#pragma once

#include <optional>
#include <vector>

#include "archive/frame_reader.h"
#include "archive/index.h"
#include "base/progress.h"

// What the damage of an archive with a good index takes with it.
namespace manman::archive {

// Whether an error tells of damage to what was read: damaged bytes, or ones that the disk can't
// give any more. Others may pass, or are the caller's doing.
bool is_damage(const Error& error);

struct Damage {
  uint64_t frames = 0;      // how many can't be read
  std::vector<Range> runs;  // of the tar stream, that they hold
  std::optional<Error> first;
};

// Reads and checks all frames. Memory grows with the number of damaged runs only.
Result<Damage> find_damage(RandomSource& source, const Index& index, int threads,
                           const Progress* progress);

// The place in the stream of an entry, its headers included.
Range range_of(const format::EntryRecord& record);
// Puts a range behind those that are there; one that begins where the last ends makes it longer.
void add_range(std::vector<Range>& ranges, Range range);

// The error of a damaged frame, with the names of what the frame holds parts of.
Error with_names(Error error, const Index& index, const Frame& frame);

}  // namespace manman::archive
