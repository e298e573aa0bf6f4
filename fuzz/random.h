#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace manman::archive::fuzz {

// The choices of one mutation.
class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  // Less than `limit`, which is not 0.
  uint64_t below(uint64_t limit) { return engine_() % limit; }
  bool one_in(uint64_t limit) { return below(limit) == 0; }
  template <typename T, size_t kSize>
  const T& of(const std::array<T, kSize>& choices) {
    return choices[below(kSize)];
  }
  // Sizes, counts and offsets that code tends to get wrong.
  uint64_t number() {
    static constexpr std::array<uint64_t, 17> kEdges = {0,
                                                        1,
                                                        2,
                                                        510,
                                                        511,
                                                        512,
                                                        513,
                                                        1023,
                                                        1024,
                                                        60'000,
                                                        65'535,
                                                        1ULL << 20,
                                                        (1ULL << 20) + 1,
                                                        1ULL << 32,
                                                        1ULL << 62,
                                                        (1ULL << 63) - 1,
                                                        ~0ULL};
    const uint64_t edge = of(kEdges);
    return one_in(4) ? edge + below(8) - 4 : edge;
  }

 private:
  std::mt19937_64 engine_;
};

// bytes changed by libFuzzer's own mutations, at most max_size long after it.
inline std::string mutate_bytes(std::string bytes, size_t max_size) {
  const size_t size = bytes.size();
  bytes.resize(std::max(size, max_size));
  bytes.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t*>(bytes.data()), size, bytes.size()));
  return bytes;
}

// LLVMFuzzerCustomMutator() by one of ours: mutate(bytes, random, max_size) gives at most max_size.
template <typename Mutate>
size_t mutate_with(Mutate mutate, uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  Random random(seed);
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const std::string changed = mutate(bytes, random, max_size);
  std::copy(changed.begin(), changed.end(), data);
  return changed.size();
}

}  // namespace manman::archive::fuzz
