// Matrix products of the loaded library against sums in double precision: shapes, transposes, strides, factors; and
// what the trainer relies on: the same bits from any thread and beside any other, and an environment left as it was.
#include "linalg/blas.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/half.hpp"
#include "base/random.hpp"

namespace tern::linalg {
namespace {

std::vector<float> numbers(std::int64_t n, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> out(static_cast<std::size_t>(n));
  for (float& x : out) x = static_cast<float>(random.normal());
  return out;
}

/// Both libraries; oneDNN is optional.
class Float32Products : public ::testing::TestWithParam<Matmul> {
 protected:
  void SetUp() override {
    blas_ = Blas::load(GetParam());
    const bool may_be_absent = GetParam() == Matmul::onednn;
    if (!blas_ && may_be_absent && blas_.error().code == ErrorCode::not_found) {
      GTEST_SKIP() << "SKIPPED: " << blas_.error().message;
    }
    ASSERT_TRUE(blas_) << blas_.error().message;
  }
  [[nodiscard]] const Blas& blas() const { return *blas_; }

 private:
  Result<Blas> blas_ = fail(ErrorCode::internal, "not loaded yet");
};

INSTANTIATE_TEST_SUITE_P(Blas, Float32Products, ::testing::Values(Matmul::openblas, Matmul::onednn),
                         [](const auto& one) { return one.param == Matmul::openblas ? "OpenBLAS" : "oneDNN"; });

struct Product {
  std::int64_t m;
  std::int64_t n;
  std::int64_t k;
  bool a_transposed;
  bool b_transposed;
  float alpha;
  float beta;
};

/// Strides a little wider than the rows: what lies between belongs to somebody else.
constexpr std::int64_t kApart = 3;

void expect_near(const Blas& blas, const Product& p) {
  const std::int64_t a_stride = (p.a_transposed ? p.m : p.k) + kApart;
  const std::int64_t b_stride = (p.b_transposed ? p.k : p.n) + kApart;
  const std::int64_t c_stride = p.n + kApart;
  const auto a = numbers((p.a_transposed ? p.k : p.m) * a_stride, 1);
  const auto b = numbers((p.b_transposed ? p.n : p.k) * b_stride, 2);
  const auto before = numbers(p.m * c_stride, 3);
  std::vector<float> c = before;
  if (p.beta == 0.0F) {
    for (std::int64_t i = 0; i < p.m; ++i) {
      std::fill_n(c.begin() + i * c_stride, p.n, std::nanf(""));  // overwritten, not multiplied by zero
    }
  }
  blas.multiply(p.m, p.n, p.k, p.alpha, {a.data(), a_stride, p.a_transposed}, {b.data(), b_stride, p.b_transposed},
                p.beta, c.data(), c_stride);
  for (std::int64_t i = 0; i < p.m; ++i) {
    for (std::int64_t j = 0; j < c_stride; ++j) {
      const auto at = static_cast<std::size_t>(i * c_stride + j);
      if (j >= p.n) {
        ASSERT_EQ(c[at], before[at]) << "written beside the matrix";
        continue;
      }
      double sum = 0.0;
      double magnitude = 0.0;
      for (std::int64_t l = 0; l < p.k; ++l) {
        const auto left = static_cast<std::size_t>(p.a_transposed ? l * a_stride + i : i * a_stride + l);
        const auto right = static_cast<std::size_t>(p.b_transposed ? j * b_stride + l : l * b_stride + j);
        sum += static_cast<double>(a[left]) * static_cast<double>(b[right]);
        magnitude += std::fabs(static_cast<double>(a[left]) * static_cast<double>(b[right]));
      }
      const double old = p.beta == 0.0F ? 0.0 : static_cast<double>(p.beta) * static_cast<double>(before[at]);
      ASSERT_NEAR(static_cast<double>(c[at]), static_cast<double>(p.alpha) * sum + old, 2e-6 * (magnitude + 1.0))
          << p.m << " x " << p.n << " x " << p.k << " at " << i << ", " << j;
    }
  }
}

TEST_P(Float32Products, AreNearForEveryShapeTransposeAndFactor) {
  EXPECT_FALSE(blas().kernels().empty());
  for (const std::int64_t m : {1, 3, 17, 64}) {
    for (const std::int64_t n : {1, 5, 33}) {
      for (const std::int64_t k : {1, 2, 31, 100}) {
        for (const bool a_transposed : {false, true}) {
          for (const bool b_transposed : {false, true}) {
            for (const auto& [alpha, beta] : {std::pair{1.0F, 0.0F}, {1.0F, 1.0F}, {0.3F, -0.5F}}) {
              expect_near(blas(), {m, n, k, a_transposed, b_transposed, alpha, beta});
              if (HasFatalFailure()) return;
            }
          }
        }
      }
    }
  }
}

// Codes of weights and inputs: no order of additions may matter below 2^24.
TEST_P(Float32Products, OfIntegersAreExact) {
  constexpr std::int64_t kLength = 1000;
  Random random(4);
  std::vector<float> a(kLength * 20);
  std::vector<float> b(kLength * 30);
  for (float& code : a) code = static_cast<float>(random.below(256)) - 128.0F;
  for (float& code : b) code = static_cast<float>(random.below(16)) - 8.0F;
  std::vector<float> c(20 * 30);
  blas().multiply(20, 30, kLength, 1.0F, {a.data(), kLength}, {b.data(), kLength, true}, 0.0F, c.data(), 30);
  for (std::size_t i = 0; i < 20; ++i) {
    for (std::size_t j = 0; j < 30; ++j) {
      std::int64_t sum = 0;
      for (std::size_t l = 0; l < kLength; ++l) {
        sum += static_cast<std::int64_t>(a[i * kLength + l]) * static_cast<std::int64_t>(b[j * kLength + l]);
      }
      ASSERT_EQ(c[i * 30 + j], static_cast<float>(sum));
    }
  }
}

TEST_P(Float32Products, ThreadsThatMultiplyAtOnceGetTheBitsOfOne) {
  constexpr std::int64_t kSize = 96;
  const auto a = numbers(kSize * kSize, 5);
  const auto b = numbers(kSize * kSize, 6);
  const auto run = [&](std::vector<float>& c) {
    blas().multiply(kSize, kSize, kSize, 1.0F, {a.data(), kSize}, {b.data(), kSize, true}, 0.0F, c.data(), kSize);
  };
  std::vector<float> want(kSize * kSize);
  run(want);
  std::vector<int> n_wrong(4, 0);
  std::vector<std::thread> threads;
  for (int& wrong : n_wrong) {
    threads.emplace_back([&] {
      std::vector<float> c(kSize * kSize);
      for (int i = 0; i < 200; ++i) {
        std::ranges::fill(c, 0.0F);
        run(c);
        wrong += c == want ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(n_wrong, std::vector<int>(4, 0));
}

TEST(Blas, Float32IsOneDnnWhereItIsInstalledAndElseOpenBlas) {
  const auto chosen = Blas::load(Matmul::float32);
  ASSERT_TRUE(chosen) << chosen.error().message;
  const auto onednn = Blas::load(Matmul::onednn);
  const auto openblas = Blas::load(Matmul::openblas);
  ASSERT_TRUE(openblas) << openblas.error().message;
  EXPECT_EQ(chosen->kernels(), onednn ? onednn->kernels() : openblas->kernels());
}

TEST(Blas, GoesOnWithTheLibraryThatBegan) {
  const auto openblas = Blas::load(Matmul::openblas);
  ASSERT_TRUE(openblas) << openblas.error().message;
  EXPECT_EQ(Blas::load(Matmul::float32, openblas->kernels())->kernels(), openblas->kernels());
  EXPECT_EQ(Blas::load(Matmul::float32, "Haswell")->kernels(), openblas->kernels()) << "of another machine";
  const auto onednn = Blas::load(Matmul::onednn);
  if (!onednn) GTEST_SKIP() << "SKIPPED: " << onednn.error().message;
  EXPECT_EQ(Blas::load(Matmul::float32, "oneDNN 3.9.1 (instruction set 0x7)")->kernels(), onednn->kernels());
}

TEST(Blas, LoadingLeavesTheEnvironmentAsItWas) {
  ::unsetenv("OPENBLAS_NUM_THREADS");
  ::setenv("OPENBLAS_CORETYPE", "Haswell", 1);
  ASSERT_TRUE(Blas::load(Matmul::openblas));
  EXPECT_EQ(::getenv("OPENBLAS_NUM_THREADS"), nullptr);
  ASSERT_NE(::getenv("OPENBLAS_CORETYPE"), nullptr);
  EXPECT_STREQ(::getenv("OPENBLAS_CORETYPE"), "Haswell") << "what a user sets stays";
  ::unsetenv("OPENBLAS_CORETYPE");
  ASSERT_TRUE(Blas::load(Matmul::openblas));
  EXPECT_EQ(::getenv("OPENBLAS_CORETYPE"), nullptr);
}

TEST(Bfloat16Products, AreThoseOfRoundedOperandsAndExactForSmallIntegers) {
  const auto blas = Blas::load(Matmul::bfloat16);
  if (!blas) GTEST_SKIP() << "SKIPPED: " << blas.error().message;
  EXPECT_TRUE(blas->kernels().starts_with("bfloat16 oneDNN ")) << blas->kernels();
  constexpr std::int64_t kM = 37;
  constexpr std::int64_t kN = 19;
  constexpr std::int64_t kK = 300;
  for (const bool integers : {false, true}) {
    auto a = numbers(kM * kK, 1);
    auto b = numbers(kN * kK, 2);
    for (float& x : a) x = integers ? std::round(std::clamp(x * 40.0F, -127.0F, 127.0F)) : x;
    for (float& x : b) x = integers ? std::round(std::clamp(x, -1.0F, 1.0F)) : x;
    for (const bool transposed : {false, true}) {
      std::vector<float> c(kM * kN, 7.0F);
      // b is stored [n, k] where a is as it is, and [k, n] where a is transposed.
      blas->multiply(kM, kN, kK, 1.0F, {a.data(), transposed ? kM : kK, transposed},
                     {b.data(), transposed ? kN : kK, !transposed}, 0.0F, c.data(), kN);
      for (std::int64_t i = 0; i < kM; ++i) {
        for (std::int64_t j = 0; j < kN; ++j) {
          double sum = 0.0;
          double magnitude = 0.0;
          for (std::int64_t k = 0; k < kK; ++k) {
            const auto at_a = static_cast<std::size_t>(transposed ? k * kM + i : i * kK + k);
            const auto at_b = static_cast<std::size_t>(transposed ? k * kN + j : j * kK + k);
            const double product = static_cast<double>(bf16_to_fp32(fp32_to_bf16(a[at_a]))) *
                                   static_cast<double>(bf16_to_fp32(fp32_to_bf16(b[at_b])));
            sum += product;
            magnitude += std::fabs(product);
          }
          const auto got = static_cast<double>(c[static_cast<std::size_t>(i * kN + j)]);
          EXPECT_NEAR(got, sum, integers ? 0.0 : 1e-5 * magnitude);
        }
      }
    }
  }
}

}  // namespace
}  // namespace tern::linalg
