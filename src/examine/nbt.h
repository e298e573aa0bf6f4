#pragma once

#include "base/error.h"
#include "base/stream.h"

namespace manman::examine {

// Whether bytes are one tag of Minecraft's NBT (Java Edition: numbers are big-endian), a named
// compound, from the first byte to the last. Otherwise kDataLoss saying at which byte what is
// wrong. Takes no memory beyond some KiB, and time by the number of bytes.
// Source: https://minecraft.wiki/w/NBT_format; strings as java.io.DataInput's readUTF takes them.
Result<void> check_nbt(ConstBytes bytes);

}  // namespace manman::examine
