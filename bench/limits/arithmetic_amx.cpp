// 8-bit products of whole tiles: 16 rows of 64 bytes by 64 rows of 16 columns into 16 x 16 sums of 32 bits, 16,384
// multiply-adds an instruction. Five accumulators in tmm0 to tmm4, a in tmm5, b0 and b1 in tmm6 and tmm7: five chains
// of 16 cycles each outlast the latency of about 52. Source: Intel's optimization manual, chapter on AMX; SDM volume 2,
// TDPBUSD.
#include "arithmetic_loops.hpp"

namespace limits {

namespace {

constexpr int kSums = 5;
constexpr std::size_t kTileBytes = 16 * 64;

// What LDTILECFG reads.
struct alignas(64) TileConfig {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t bytes_per_row[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileConfig) == 64);

#define EACH(BODY) BODY(0, 6) BODY(1, 7) BODY(2, 6) BODY(3, 7) BODY(4, 6)
#define LOAD(i, b) "tileloadd 1024*" #i "(%[sums],%[row],1), %%tmm" #i "\n\t"
#define STORE(i, b) "tilestored %%tmm" #i ", 1024*" #i "(%[sums],%[row],1)\n\t"
#define DOT(i, b) "tdpbusd %%tmm" #b ", %%tmm5, %%tmm" #i "\n\t"

void run(std::uint64_t n_steps, const std::byte* operands, std::byte* accumulators) {
  const TileConfig config;
  // clang-format off
  asm volatile("ldtilecfg %[config]\n\t"
               EACH(LOAD)
               "tileloadd (%[operands],%[row],1), %%tmm5\n\t"
               "tileloadd 1024(%[operands],%[row],1), %%tmm6\n\t"
               "tileloadd 2048(%[operands],%[row],1), %%tmm7\n\t"
               ".p2align 5\n"
               "1:\n\t"
               EACH(DOT)
               "dec %[n]\n\t"
               "jnz 1b\n\t"
               EACH(STORE)
               "tilerelease"
               : [n] "+r"(n_steps)
               : [operands] "r"(operands), [sums] "r"(accumulators), [row] "r"(std::uint64_t{64}), [config] "m"(config)
               : "cc", "memory");
  // clang-format on
}

}  // namespace

constinit const ArithmeticLoop kAmx = {kSums, kTileBytes, 16 * 16 * 64, false, run};

}  // namespace limits
