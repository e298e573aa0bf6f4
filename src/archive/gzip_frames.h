#pragma once

#include <memory>

#include "archive/frame_codec.h"

namespace manman::archive {

// Frames of .tar.gz: deflate blocks, none of them final, that end on a byte boundary and refer to
// nothing before the frame. `level` is Compression's.
std::unique_ptr<FramePacker> make_gzip_packer(int level);
std::unique_ptr<FrameUnpacker> make_gzip_unpacker();

}  // namespace manman::archive
