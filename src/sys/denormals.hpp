// Float numbers below 2^-126, which processors compute some ten to a hundred times more slowly than others.
#pragma once

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace tern::sys {

/// While it lives, this thread's float operations read such numbers as zero and give zero for them. Threads that it
/// starts meanwhile keep that for good. Does nothing on processors other than x86-64.
class DenormalsAreZero {
 public:
#if defined(__SSE2__)
  DenormalsAreZero() : before_(_mm_getcsr()) { _mm_setcsr(before_ | kFlushToZero | kDenormalsAreZero); }
  ~DenormalsAreZero() { _mm_setcsr(before_); }
#else
  DenormalsAreZero() = default;
  ~DenormalsAreZero() = default;
#endif
  DenormalsAreZero(const DenormalsAreZero&) = delete;
  DenormalsAreZero& operator=(const DenormalsAreZero&) = delete;

#if defined(__SSE2__)
 private:
  static constexpr unsigned kFlushToZero = 0x8000;     // MXCSR, bit 15
  static constexpr unsigned kDenormalsAreZero = 0x40;  // bit 6
  unsigned before_;
#endif
};

}  // namespace tern::sys
