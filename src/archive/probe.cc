#include "archive/probe.h"

#include <array>

namespace manman::archive {
namespace {

constexpr size_t kSamples = 64;
constexpr size_t kSampleSize = 256;

// The chance that two of the sampled bytes are equal, against 1 in 256 of random ones. 1.06 is what
// data has from which Huffman coding gains half a percent.
bool seems_random(ConstBytes raw) {
  if (raw.size() < kSamples * kSampleSize) return false;
  std::array<uint32_t, 256> counts{};
  const size_t stride = raw.size() / kSamples;
  for (size_t i = 0; i < kSamples; i++) {
    // One in each stretch, everywhere in it by turns: files are made of pages, and what compresses
    // may stand at the same place of each.
    const size_t within = i * 37 % kSamples * (stride - kSampleSize) / kSamples;
    for (const std::byte byte : raw.subspan(i * stride + within, kSampleSize))
      counts[std::to_integer<size_t>(byte)]++;
  }
  uint64_t pairs = 0;
  for (const uint64_t count : counts) pairs += count * (count - 1);
  constexpr uint64_t kSampled = kSamples * kSampleSize;
  return pairs * 256 * 100 < kSampled * (kSampled - 1) * 106;
}

}  // namespace

Result<bool> Probe::compresses(ConstBytes raw) {
  if (!seems_random(raw)) return true;
  TRY(writer_.write(raw, frame_));
  return frame_.size() < raw.size() - raw.size() / 100;
}

}  // namespace manman::archive
