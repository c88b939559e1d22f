// Plain structs of the blocks that the kernels of this folder read: the same bytes as in room formats, written again
// here because files compiled with instruction-set flags include nothing of ours but plain data. A unit test compares
// every size with the formats. fp16 numbers are std::uint16_t.
#pragma once

#include <cstdint>

namespace tern::kernels::avx2 {

struct BlockQ8_0 {  // 32 values: q * d; also the activation layout q8_0
  std::uint16_t d;
  std::int8_t q[32];
};
struct BlockQ4_0 {  // 32 values: (q - 8) * d, low nibbles first
  std::uint16_t d;
  std::uint8_t q[16];
};
struct BlockQ4_1 {  // 32 values: q * d + m
  std::uint16_t d, m;
  std::uint8_t q[16];
};
struct BlockQ5_0 {  // 32 values: (q - 16) * d, the fifth bits apart
  std::uint16_t d;
  std::uint8_t high[4];
  std::uint8_t q[16];
};
struct BlockQ5_1 {  // 32 values: q * d + m
  std::uint16_t d, m;
  std::uint8_t high[4];
  std::uint8_t q[16];
};
struct BlockQ1_0 {  // 128 values: bit ? d : -d
  std::uint16_t d;
  std::uint8_t q[16];
};
struct BlockQ2_0 {  // 64 values: (q - 1) * d
  std::uint16_t d;
  std::uint8_t q[16];
};
struct BlockQ2_K {  // 16 runs of 16: q * d * (s & 15) - dmin * (s >> 4)
  std::uint8_t scales[16];
  std::uint8_t q[64];
  std::uint16_t d, dmin;
};
struct BlockQ3_K {  // 16 runs of 16: (q - 4) * d * (s - 32)
  std::uint8_t high[32];
  std::uint8_t q[64];
  std::uint8_t scales[12];
  std::uint16_t d;
};
struct BlockQ4_K {  // 8 runs of 32: q * d * s - dmin * m
  std::uint16_t d, dmin;
  std::uint8_t scales[12];
  std::uint8_t q[128];
};
struct BlockQ5_K {  // 8 runs of 32: q * d * s - dmin * m
  std::uint16_t d, dmin;
  std::uint8_t scales[12];
  std::uint8_t high[32];
  std::uint8_t q[128];
};
struct BlockQ6_K {  // 16 runs of 16: (q - 32) * d * s
  std::uint8_t low[128];
  std::uint8_t high[64];
  std::int8_t scales[16];
  std::uint16_t d;
};
struct BlockTQ1_0 {  // 256 values: (trit - 1) * d, five trits a byte
  std::uint8_t q[48];
  std::uint8_t high[4];
  std::uint16_t d;
};
struct BlockTQ2_0 {  // 256 values: (q - 1) * d
  std::uint8_t q[64];
  std::uint16_t d;
};
struct BlockQ8_K {  // activation layout q8_k: q * d, with the sums of each 16 codes
  float d;
  std::int8_t q[256];
  std::int16_t sums[16];
};

}  // namespace tern::kernels::avx2
