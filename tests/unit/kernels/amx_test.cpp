// The kernels of AMX, as compiled, where need be with their instructions emulated; and the emulator itself.
#include <gtest/gtest.h>

#include "tests/support/emulated_amx.hpp"

#if defined(__x86_64__)

namespace tern::kernels {
namespace {

using test::AmxEmulator;

#define TERN_NEED_AMX(amx)                                             \
  const std::optional<test::AmxKernels> amx = test::amx_or_emulated(); \
  if (!amx) GTEST_SKIP() << "SKIPPED: this processor has no AVX-512"

TEST(Amx, EveryProofPasses) {
  TERN_NEED_AMX(amx);
  const std::int64_t before = AmxEmulator::n_run();
  const auto proofs = prove(amx->kernels, amx->cpu);
  ASSERT_TRUE(proofs.has_value()) << proofs.error().message;
  std::vector<std::string> own;
  for (const Proof& proof : *proofs) {
    EXPECT_TRUE(proof.passed) << proof.kernel << ": " << proof.detail;
    if (proof.kernel.starts_with("amxint8")) own.push_back(proof.kernel);
  }
  EXPECT_EQ(own, (std::vector<std::string>{"amxint8 ternary x int8", "amxint8 ternary by columns x int8"}));
  EXPECT_EQ(AmxEmulator::n_run() > before, amx->emulated);
}

TEST(Amx, IsNeverTheAutomaticChoice) {
  TERN_NEED_AMX(amx);
  EXPECT_EQ(choose_for(amx->cpu, "").value().isa, "avx512vnni");
  EXPECT_EQ(choose_for(amx->cpu, "amxint8").value().isa, "amxint8");
}

TEST(Amx, IsRefusedInOneLineWhereItIsMissing) {
  if (sys::cpu_features().amx_int8) GTEST_SKIP() << "SKIPPED: this processor has AMX";
  const auto refused = choose("amxint8");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::unsupported);
  EXPECT_NE(refused.error().message.find("AMX-INT8"), std::string::npos) << refused.error().message;
}

struct alignas(64) Shapes {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t n_bytes[16] = {};
  std::uint8_t n_rows[16] = {};
};

// 2 x 8 bytes by 2 x 12: sums of 2 x 3, worked out by hand here, for each kind of signs. On a processor with AMX this
// is what the emulator is held against.
TEST(Amx, TheInstructionsAreTheManuals) {
  TERN_NEED_AMX(amx);
  Shapes shapes;
  shapes.n_rows[0] = 2, shapes.n_bytes[0] = 12;
  shapes.n_rows[1] = 2, shapes.n_bytes[1] = 8;
  shapes.n_rows[2] = 2, shapes.n_bytes[2] = 12;
  const std::uint8_t a[2][8] = {{1, 2, 3, 4, 0xff, 0, 0, 0}, {0x80, 0, 0, 0, 0, 0, 0, 2}};
  const std::uint8_t b[2][12] = {{1, 1, 1, 1, 0xff, 0, 0, 0, 0, 0, 0, 10}, {2, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0xfe}};
  const std::int32_t before[2][3] = {{100, 200, 300}, {400, 500, 600}};
  struct Case {
    const char* name;
    std::int32_t sums[2][3];
  };
  // Row 0: 1+2+3+4 and 0xff times the second row; row 1: 0x80 times the first byte and 2 times the last.
  const Case cases[] = {
      {"unsigned x unsigned",
       {{100 + 10 + 255 * 2, 200 + 255 + 255 * 128, 300 + 40}, {400 + 128, 500 + 128 * 255, 600 + 2 * 254}}},
      {"unsigned x signed", {{100 + 10 + 255 * 2, 200 - 1 - 255 * 128, 300 + 40}, {400 + 128, 500 - 128, 600 - 2 * 2}}},
      {"signed x unsigned", {{100 + 10 - 2, 200 + 255 - 128, 300 + 40}, {400 - 128, 500 - 128 * 255, 600 + 2 * 254}}},
      {"signed x signed", {{100 + 10 - 2, 200 - 1 + 128, 300 + 40}, {400 - 128, 500 + 128, 600 - 2 * 2}}},
  };
  for (int kind = 0; kind < 4; ++kind) {
    std::int32_t sums[2][3];
    std::memcpy(sums, before, sizeof sums);
    asm volatile("ldtilecfg %0" : : "m"(shapes));
    asm volatile("tileloadd (%0,%1,1), %%tmm0" : : "r"(sums), "r"(std::int64_t{12}) : "memory");
    asm volatile("tileloadd (%0,%1,1), %%tmm1" : : "r"(a), "r"(std::int64_t{8}) : "memory");
    asm volatile("tileloadd (%0,%1,1), %%tmm2" : : "r"(b), "r"(std::int64_t{12}) : "memory");
    if (kind == 0) asm volatile("tdpbuud %%tmm2, %%tmm1, %%tmm0" :);
    if (kind == 1) asm volatile("tdpbusd %%tmm2, %%tmm1, %%tmm0" :);
    if (kind == 2) asm volatile("tdpbsud %%tmm2, %%tmm1, %%tmm0" :);
    if (kind == 3) asm volatile("tdpbssd %%tmm2, %%tmm1, %%tmm0" :);
    asm volatile("tilestored %%tmm0, (%0,%1,1)" : : "r"(sums), "r"(std::int64_t{12}) : "memory");
    asm volatile("tilerelease" :);
    EXPECT_EQ(std::memcmp(sums, cases[kind].sums, sizeof sums), 0)
        << cases[kind].name << ": " << sums[0][0] << ' ' << sums[0][1] << ' ' << sums[0][2] << ", " << sums[1][0] << ' '
        << sums[1][1] << ' ' << sums[1][2];
  }
}

}  // namespace
}  // namespace tern::kernels

#endif
