#include "archive/probe.h"

#include <array>

namespace manman::archive {
namespace {

constexpr size_t kSamples = 64;
constexpr size_t kSampleSize = 256;
constexpr uint64_t kEnough = 4096;

using Counts = std::array<uint64_t, 256>;  // of bytes, by their values

// Of samples from everywhere in raw.
Counts sampled(ConstBytes raw) {
  Counts counts{};
  const size_t stride = raw.size() / kSamples;
  for (size_t i = 0; i < kSamples; i++) {
    // One in each stretch, everywhere in it by turns: files are made of pages, and what compresses
    // may stand at the same place of each.
    const size_t within = i * 37 % kSamples * (stride - kSampleSize) / kSamples;
    for (const std::byte byte : raw.subspan(i * stride + within, kSampleSize))
      counts[std::to_integer<size_t>(byte)]++;
  }
  return counts;
}

// The chance, in hundredths, that two of these bytes are equal, against 1 in so many values of
// random ones. 1.06 is what data has from which Huffman coding gains half a percent; text has 15.
constexpr uint64_t kRandom = 106;
constexpr uint64_t kPacked = 120;  // with headers of formats between

bool about_equal(std::span<const uint64_t> counts, uint64_t most) {
  uint64_t sum = 0;
  uint64_t pairs = 0;
  for (const uint64_t count : counts) {
    sum += count;
    if (count > 0) pairs += count * (count - 1);
  }
  return sum >= kEnough && pairs * counts.size() * 100 < sum * (sum - 1) * most;
}

bool can_be_sampled(ConstBytes raw) {
  return raw.size() >= kSamples * kSampleSize;
}

}  // namespace

bool is_packed_but_zeros(ConstBytes raw) {
  if (!can_be_sampled(raw)) return false;
  const Counts counts = sampled(raw);
  return about_equal(std::span(counts).subspan(1), kPacked);
}

Result<bool> Probe::compresses(ConstBytes raw) {
  if (!can_be_sampled(raw) || !about_equal(sampled(raw), kRandom)) return true;
  TRY(writer_.write(raw, frame_));
  return frame_.size() < raw.size() - raw.size() / 100;
}

}  // namespace manman::archive
