// RMS norm and gated activations against double precision, for every instruction set and every tail.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/kernel_cases.hpp"

namespace tern::kernels {
namespace {

template <class Check>
void for_each_set(Check check) {
  for (const Kernels& kernels : test::sets_of_this_machine()) check(kernels);
}

/// Distance in units of the last place of `exact` (of the smallest subnormal near zero).
double ulps(float got, double exact) {
  const float nearest = static_cast<float>(exact);
  const double unit =
      static_cast<double>(std::nextafter(std::fabs(nearest), HUGE_VALF)) - std::fabs(static_cast<double>(nearest));
  return std::fabs(static_cast<double>(got) - exact) / unit;
}

TEST(RmsNorm, AgreesWithDoublePrecisionForEveryTail) {
  for_each_set([](const Kernels& kernels) {
    for (const std::int64_t n : {1, 3, 7, 8, 9, 15, 16, 17, 64, 100, 2560, 6911}) {
      const auto x = test::normal_values(n, 1, 3.0);
      const auto weight = test::normal_values(n, 2);
      for (const bool weighted : {true, false}) {
        std::vector<float> y(x.size() + 1, -5.0F);
        kernels.table.rms_norm(x.data(), weighted ? weight.data() : nullptr, n, 1e-5F, y.data());
        double sum = 0.0;
        for (const float v : x) sum += static_cast<double>(v) * static_cast<double>(v);
        const double scale = 1.0 / std::sqrt(sum / static_cast<double>(n) + 1e-5);
        for (std::size_t i = 0; i < x.size(); ++i) {
          const double expected = static_cast<double>(x[i]) * scale * (weighted ? static_cast<double>(weight[i]) : 1.0);
          ASSERT_LE(ulps(y[i], expected), 3.0) << kernels.isa << " n=" << n << " i=" << i;  // three roundings
        }
        ASSERT_EQ(y.back(), -5.0F) << "wrote beyond the end";
      }
    }
  });
}

TEST(RmsNorm, LargeAndTinyRowsDoNotOverflow) {
  for_each_set([](const Kernels& kernels) {
    const std::vector<float> large(33, 1e30F);
    std::vector<float> y(33);
    kernels.table.rms_norm(large.data(), nullptr, 33, 1e-5F, y.data());
    for (const float v : y) EXPECT_NEAR(v, 1.0F, 1e-6);
    const std::vector<float> zero(33, 0.0F);
    kernels.table.rms_norm(zero.data(), nullptr, 33, 1e-5F, y.data());
    for (const float v : y) EXPECT_EQ(v, 0.0F);
  });
}

struct Act {
  const char* name;
  GluFn KernelSet::* kernel;
  double (*exact)(double);
  double (*exponent)(double);  // the argument of its exponential, whose rounding error grows with it
};
const Act kActs[] = {
    {"silu", &KernelSet::silu_glu, [](double x) { return x / (1.0 + std::exp(-x)); }, [](double) { return 0.0; }},
    {"relu2", &KernelSet::relu2_glu, [](double x) { return x > 0.0 ? x * x : 0.0; }, [](double) { return 0.0; }},
    {"gelu", &KernelSet::gelu_glu,
     [](double x) { return 0.5 * x * (1.0 + std::tanh(0.79788456080286536 * (x + 0.044715 * x * x * x))); },
     [](double x) { return 1.6 * std::fabs(x) * (1.0 + 0.044715 * x * x); }},
};

TEST(Glu, AgreesWithDoublePrecisionOverTheWholeRange) {
  for_each_set([](const Kernels& kernels) {
    for (const auto& act : kActs) {
      std::vector<float> gate;
      for (int i = -4000; i <= 4000; ++i) gate.push_back(static_cast<float>(i) * 0.02F);  // -80 .. 80
      for (const float v : {1e-30F, -1e-30F, 1e-10F, 0.0F}) gate.push_back(v);
      std::vector<float> y(gate.size());
      (kernels.table.*act.kernel)(gate.data(), nullptr, static_cast<std::int64_t>(gate.size()), y.data());
      for (std::size_t i = 0; i < gate.size(); ++i) {
        const double x = static_cast<double>(gate[i]);
        const double expected = act.exact(x);
        // 1 + tanh cancels in the reference below -5 or so; there the absolute error is what can be checked.
        const double allowed =
            (4.0 + act.exponent(x) * 4.0) * 0x1p-23 * std::fabs(expected) + (x < -4.0 ? 1e-14 : 0.0) + 1e-37;
        ASSERT_NEAR(y[i], expected, allowed) << kernels.isa << " " << act.name << "(" << x << ")";
      }
    }
  });
}

TEST(Glu, SiluIsWithinFourUlpOfTheExactValue) {
  // e^x is within 2 ulp; the sum with 1 and the division add one each.
  for_each_set([](const Kernels& kernels) {
    std::vector<float> gate;
    for (int i = -86 * 500; i <= 86 * 500; ++i) gate.push_back(static_cast<float>(i) * 0.00201F);
    std::vector<float> y(gate.size());
    kernels.table.silu_glu(gate.data(), nullptr, static_cast<std::int64_t>(gate.size()), y.data());
    double worst = 0.0;
    for (std::size_t i = 0; i < gate.size(); ++i) {
      const double x = static_cast<double>(gate[i]);
      worst = std::max(worst, ulps(y[i], x / (1.0 + std::exp(-x))));
    }
    EXPECT_LE(worst, 4.0) << kernels.isa;
  });
}

TEST(Glu, MultipliesByUpAndHandlesEveryTail) {
  for_each_set([](const Kernels& kernels) {
    for (std::int64_t n = 1; n <= 40; ++n) {
      const auto gate = test::normal_values(n, 3, 2.0);
      const auto up = test::normal_values(n, 4, 2.0);
      for (const auto& act : kActs) {
        std::vector<float> y(gate.size() + 1, -5.0F);
        (kernels.table.*act.kernel)(gate.data(), up.data(), n, y.data());
        for (std::size_t i = 0; i < gate.size(); ++i) {
          const double expected = act.exact(static_cast<double>(gate[i])) * static_cast<double>(up[i]);
          ASSERT_NEAR(y[i], expected, std::fabs(expected) * 1e-5 + 1e-9)
              << kernels.isa << " " << act.name << " n=" << n;
        }
        ASSERT_EQ(y.back(), -5.0F) << "wrote beyond the end";
      }
    }
  });
}

TEST(Glu, NotANumberStaysNotANumberAndInfinityBehaves) {
  for_each_set([](const Kernels& kernels) {
    const std::vector<float> gate{std::nanf(""), HUGE_VALF, -200.0F, 200.0F};
    std::vector<float> y(4);
    for (const auto& act : kActs) {
      (kernels.table.*act.kernel)(gate.data(), nullptr, 4, y.data());
      EXPECT_TRUE(std::isnan(y[0])) << kernels.isa << " " << act.name;
      EXPECT_EQ(y[1], HUGE_VALF) << kernels.isa << " " << act.name;
      EXPECT_EQ(y[2], 0.0F) << kernels.isa << " " << act.name;
      EXPECT_GE(y[3], 200.0F) << kernels.isa << " " << act.name;
    }
  });
}

}  // namespace
}  // namespace tern::kernels
