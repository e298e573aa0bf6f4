#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <vector>

#include "base/error.h"
#include "examine/findings.h"
#include "examine/inflater.h"

namespace manman::examine {

// Buffers that are used again for each file.
struct Workspace {
  Inflater inflater;
  std::vector<std::byte> in;
};

// A file of NBT, whatever it is packed in, by its first bytes.
Result<void> examine_nbt(int fd, const struct stat& info, Workspace& work, Findings& findings);

// A region file of 32 × 32 chunks, and the .mcc files beside it that hold chunks which were too
// large for it. `folder` is open, and the one that it stands in.
//
// 8 KiB of header: for each chunk a location of 4 bytes (3 of offset and 1 of length, in sectors of
// 4 KiB; 0 is no chunk) and a time. A chunk is 4 bytes of length, 1 of compression (1 gzip, 2 zlib,
// 3 none, 4 LZ4, 127 a mod's own; 0x80 is added when the data stands in a file c.X.Z.mcc), and the
// data. An empty file is a region without chunks; a file that was not closed may end within its
// last sector. Of 255 sectors (Spigot, Forge) the true length may be more, as the chunk's own says.
// Source: https://minecraft.wiki/w/Region_file_format (1.21)
Result<void> examine_region(int fd, const struct stat& info, int folder, Workspace& work,
                            const Progress* progress, Findings& findings);

}  // namespace manman::examine
