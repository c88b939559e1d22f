// The loops that read memory: plain, AVX2 and AVX-512, with and without prefetching, from one place or from several at
// once. All return the same sum, so that a loop that skips a byte is found out. This header is included by files with
// flags of their own: nothing here may become code there.
#pragma once

#include <cstddef>
#include <cstdint>

namespace limits {

/// Reads n bytes (any number, any alignment) and returns plain_sum of them.
using ReadLoop = std::uint64_t (*)(const std::byte* data, std::size_t n);

struct NamedReadLoop {
  const char* name;
  ReadLoop sum;
};

struct ReadLoops {
  const NamedReadLoop* first;
  std::size_t n;
};

ReadLoops plain_read_loops();
#if defined(__x86_64__)
ReadLoops avx2_read_loops();
ReadLoops avx512_read_loops();
#endif

}  // namespace limits
