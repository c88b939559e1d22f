// The loops of training against double precision, for lengths that fill lanes and lengths that do not; the bits do not
// depend on where the numbers lie, and sums run in the documented order whatever the processor.
#include "train/loops.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>
#include <vector>

#include "base/random.hpp"
#include "tensor/aligned_buffer.hpp"

namespace tern::train {
namespace {

constexpr std::int64_t kLongest = 67;  // four full rounds of sixteen lanes and three left over

/// Floats that begin on a cache line, or four bytes past one.
class Row {
 public:
  Row(const std::vector<float>& values, bool aligned)
      : n_(values.size()), bytes_((values.size() + 1) * sizeof(float)), shift_(aligned ? 0 : 1) {
    std::ranges::copy(values, data());
  }
  [[nodiscard]] float* data() { return bytes_.as<float>() + shift_; }
  [[nodiscard]] std::vector<float> values() { return {data(), data() + n_}; }

 private:
  std::size_t n_;
  AlignedBuffer bytes_;
  std::size_t shift_;
};

std::vector<float> numbers(std::int64_t n, std::uint64_t seed, double spread = 1.0) {
  Random random(seed);
  std::vector<float> out(static_cast<std::size_t>(n));
  for (float& x : out) x = static_cast<float>(random.normal() * spread);
  return out;
}

double at(const std::vector<float>& x, std::size_t i) {
  return static_cast<double>(x[i]);
}

/// |got - want| below `relative` of the largest magnitude that took part.
void expect_near(const std::vector<float>& got, const std::vector<double>& want, double relative, double scale) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(at(got, i), want[i], relative * scale) << "[" << i << "]";
}

/// Calls check(n) for each length, with the length in any message.
void for_each_length(const std::function<void(std::int64_t)>& check) {
  for (std::int64_t n = 1; n <= kLongest; ++n) {
    SCOPED_TRACE("n = " + std::to_string(n));
    check(n);
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(Loops, SumOfProductsIsNearAndInTheOrderOfSixteenLanes) {
  for_each_length([](std::int64_t n) {
    const auto a = numbers(n, 1);
    const auto b = numbers(n, 2);
    double exact = 0.0;
    double magnitude = 0.0;
    float lane[16] = {};
    for (std::size_t i = 0; i < a.size(); ++i) {
      exact += at(a, i) * at(b, i);
      magnitude += std::fabs(at(a, i) * at(b, i));
      lane[i % 16] += a[i] * b[i];
    }
    float in_order = 0.0F;
    for (const float sum : lane) in_order += sum;
    const float got = loops::dot(a.data(), b.data(), n);
    EXPECT_NEAR(static_cast<double>(got), exact, 1e-6 * magnitude);
    EXPECT_EQ(got, in_order) << "another order of additions";
    EXPECT_EQ(got, loops::dot(Row(a, false).data(), Row(b, false).data(), n));
  });
}

TEST(Loops, ElementwiseOnesAreWhatFloatArithmeticSays) {
  for_each_length([](std::int64_t n) {
    const auto x = numbers(n, 3);
    const auto start = numbers(n, 4);
    std::vector<std::int8_t> codes;
    for (std::int64_t i = 0; i < n; ++i) codes.push_back(static_cast<std::int8_t>(i * 37 % 256 - 128));
    for (const bool aligned : {true, false}) {
      Row from(x, aligned);
      Row sum(start, aligned);
      Row scaled_sum(start, aligned);
      Row product(start, aligned);
      Row scaled(start, aligned);
      Row quotient(start, aligned);
      Row converted(start, aligned);
      loops::add(from.data(), n, sum.data());
      loops::add_scaled(from.data(), 0.3F, n, scaled_sum.data());
      loops::scale(0.3F, n, product.data());
      loops::scale_sums(1.7F, 0.3F, n, scaled.data());
      loops::divide(from.data(), 1.7F, n, quotient.data());
      loops::to_floats(codes.data(), n, converted.data());
      for (std::size_t i = 0; i < x.size(); ++i) {
        ASSERT_EQ(sum.values()[i], start[i] + x[i]);
        ASSERT_EQ(scaled_sum.values()[i], start[i] + 0.3F * x[i]);
        ASSERT_EQ(product.values()[i], start[i] * 0.3F);
        ASSERT_EQ(scaled.values()[i], start[i] / 1.7F * 0.3F);
        ASSERT_EQ(quotient.values()[i], x[i] / 1.7F);
        ASSERT_EQ(converted.values()[i], static_cast<float>(codes[i]));
      }
    }
  });
}

TEST(Loops, LargestIsFoundAtEveryPlace) {
  for_each_length([](std::int64_t n) {
    for (std::int64_t place = 0; place < n; ++place) {
      auto x = numbers(n, 5);
      x[static_cast<std::size_t>(place)] = 9.0F;
      ASSERT_EQ(loops::largest(x.data(), n), 9.0F);
    }
    const std::vector<float> below(static_cast<std::size_t>(n), -5.0F);
    ASSERT_EQ(loops::largest(below.data(), n), -5.0F) << "nothing counts but the elements";
  });
}

TEST(Loops, ExponentialsAreNearAndAreTheSameForAnyLengthAndPlace) {
  for_each_length([](std::int64_t n) {
    auto x = numbers(n, 6, 8.0);
    const float most = *std::ranges::max_element(x);
    Row row(x, true);
    Row shifted(x, false);
    const float sum = loops::exponentials(n, row.data());
    EXPECT_EQ(loops::exponentials(n, shifted.data()), sum);
    EXPECT_EQ(row.values(), shifted.values());
    double exact = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double want = std::exp(static_cast<double>(x[i] - most));
      exact += want;
      ASSERT_NEAR(at(row.values(), i), want, 3e-7 * want);
      std::vector<float> pair{x[i], most};  // alone beside the largest
      (void)loops::exponentials(2, pair.data());
      ASSERT_EQ(pair[0], row.values()[i]);
    }
    EXPECT_NEAR(static_cast<double>(sum), exact, 1e-6 * exact);
  });
}

TEST(Loops, ExponentialsKeepTheirBoundOverTheWholeRange) {
  constexpr std::int64_t kMany = 1 << 20;
  std::vector<float> x;
  for (std::int64_t i = 0; i < kMany; ++i) x.push_back(-87.0F * static_cast<float>(i) / static_cast<float>(kMany));
  std::vector<float> e = x;
  (void)loops::exponentials(kMany, e.data());
  double worst = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double want = std::exp(at(x, i));
    worst = std::max(worst, std::fabs(at(e, i) - want) / want);
  }
  EXPECT_LT(worst, 3e-7);
  EXPECT_GT(worst, 1e-8) << "nothing was measured";
}

TEST(Loops, FarBelowTheLargestAnExponentialIsAlmostZero) {
  std::vector<float> x{0.0F, -88.0F, -100.0F, -1000.0F, -1e5F, -1e6F};
  EXPECT_NEAR(static_cast<double>(loops::exponentials(6, x.data())), 1.0, 1e-6);
  for (std::size_t i = 1; i < x.size(); ++i) {
    EXPECT_GE(x[i], 0.0F) << i;
    EXPECT_LT(x[i], 1e-36F) << i;
  }
}

TEST(Loops, ANumberThatIsNoneReachesTheSum) {
  for (const float bad : {std::nanf(""), INFINITY}) {
    for (std::size_t place = 0; place < 19; ++place) {
      std::vector<float> x = numbers(19, 7);
      x[place] = bad;
      EXPECT_FALSE(std::isfinite(loops::exponentials(19, x.data()))) << bad << " at " << place;
    }
  }
}

TEST(Loops, BackThroughASoftmax) {
  for_each_length([](std::int64_t n) {
    auto p = numbers(n, 8);
    (void)loops::exponentials(n, p.data());
    double sum = 0.0;
    for (const float value : p) sum += static_cast<double>(value);
    for (float& value : p) value = static_cast<float>(static_cast<double>(value) / sum);
    const auto d = numbers(n, 9);
    double mean = 0.0;
    for (std::size_t i = 0; i < p.size(); ++i) mean += at(p, i) * at(d, i);
    std::vector<double> want;
    for (std::size_t i = 0; i < p.size(); ++i)
      want.push_back(at(p, i) * (at(d, i) - mean) * static_cast<double>(0.35F));
    Row got(d, true);
    Row shifted(d, false);
    loops::softmax_backward(Row(p, true).data(), 0.35F, n, got.data());
    loops::softmax_backward(Row(p, false).data(), 0.35F, n, shifted.data());
    expect_near(got.values(), want, 1e-6, 1.0);
    EXPECT_EQ(got.values(), shifted.values());
  });
}

/// One norm backward in double: r the reciprocal deviation, `centred` x or x - mean.
struct NormInDouble {
  std::vector<double> dx;
  std::vector<double> d_gain;
};
NormInDouble norm_in_double(const std::vector<float>& x, const std::vector<float>& gain, const std::vector<float>& dy,
                            double eps, bool layer) {
  const auto n = static_cast<double>(x.size());
  double mean = 0.0;
  for (std::size_t i = 0; layer && i < x.size(); ++i) mean += at(x, i) / n;
  double squares = 0.0;
  double slopes = 0.0;
  double products = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    squares += (at(x, i) - mean) * (at(x, i) - mean);
    slopes += at(gain, i) * at(dy, i);
    products += (at(x, i) - mean) * at(gain, i) * at(dy, i);
  }
  const double r = 1.0 / std::sqrt(squares / n + eps);
  NormInDouble out;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double shift = layer ? slopes / n : 0.0;
    out.dx.push_back((at(gain, i) * at(dy, i) - shift - (at(x, i) - mean) * r * r * products / n) * r);
    out.d_gain.push_back(at(dy, i) * (at(x, i) - mean) * r);
  }
  return out;
}

TEST(Loops, BackThroughNorms) {
  constexpr float kEps = 0.01F;
  for_each_length([](std::int64_t n) {
    const auto x = numbers(n, 10);
    const auto gain = numbers(n, 11);
    const auto dy = numbers(n, 12);
    const auto before = numbers(n, 13);
    for (const bool layer : {false, true}) {
      const NormInDouble want = norm_in_double(x, gain, dy, static_cast<double>(kEps), layer);
      for (const bool accumulate : {false, true}) {
        std::vector<float> first;
        for (const bool aligned : {true, false}) {
          Row from(x, aligned);
          Row by(gain, aligned);
          Row d_out(dy, aligned);
          Row dx(before, aligned);
          Row d_gain(before, aligned);
          Row d_bias(before, aligned);
          if (layer) {
            loops::layer_norm_backward(from.data(), by.data(), d_out.data(), n, kEps, accumulate, dx.data(),
                                       d_gain.data(), d_bias.data());
          } else {
            loops::rms_norm_backward(from.data(), by.data(), d_out.data(), n, kEps, accumulate, dx.data(),
                                     d_gain.data());
          }
          std::vector<double> dx_want = want.dx;
          std::vector<double> gain_want = want.d_gain;
          for (std::size_t i = 0; i < x.size(); ++i) {
            if (accumulate) dx_want[i] += at(before, i);
            gain_want[i] += at(before, i);
            ASSERT_EQ(d_bias.values()[i], before[i] + (layer ? dy[i] : 0.0F));
          }
          // A single number has no variance: eps is all that divides, and errors grow by 1 / sqrt(eps).
          expect_near(dx.values(), dx_want, 2e-6, 20.0);
          expect_near(d_gain.values(), gain_want, 2e-6, 10.0);
          if (aligned) {
            first = dx.values();
          } else {
            ASSERT_EQ(dx.values(), first);
          }
        }
      }
    }
  });
}

struct Activation {
  const char* name;
  loops::GateBackward backward;
  double (*value)(double);
};
double silu(double x) {
  return x / (1.0 + std::exp(-x));
}
double relu2(double x) {
  return x > 0.0 ? x * x : 0.0;
}
double gelu(double x) {
  return 0.5 * x * (1.0 + std::tanh(std::sqrt(2.0 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
}
constexpr Activation kActivations[] = {{"silu", &loops::silu_backward, &silu},
                                       {"relu2", &loops::relu2_backward, &relu2},
                                       {"gelu", &loops::gelu_backward, &gelu}};

TEST(Loops, BackThroughGates) {
  for (const Activation& f : kActivations) {
    SCOPED_TRACE(f.name);
    for_each_length([&](std::int64_t n) {
      const auto gate = numbers(n, 14, 2.0);
      const auto up = numbers(n, 15);
      const auto dy = numbers(n, 16);
      const auto before = numbers(n, 17);
      for (const int mode : {0, 1, 2, 3, 4, 5}) {  // 4 and 5: no up
        const bool has_up = mode < 4;
        const bool adds_gate = (mode & 1) != 0;
        const bool adds_up = has_up && (mode & 2) != 0;
        std::vector<float> first;
        for (const bool aligned : {true, false}) {
          Row g(gate, aligned);
          Row u(up, aligned);
          Row d(dy, aligned);
          Row d_gate(before, aligned);
          Row d_up(before, aligned);
          f.backward(g.data(), has_up ? u.data() : nullptr, d.data(), n, adds_gate, adds_up, d_gate.data(),
                     has_up ? d_up.data() : nullptr);
          for (std::size_t i = 0; i < gate.size(); ++i) {
            const double slope = (f.value(at(gate, i) + 1e-6) - f.value(at(gate, i) - 1e-6)) / 2e-6;
            const double factor = has_up ? at(up, i) : 1.0;
            ASSERT_NEAR(at(d_gate.values(), i), (adds_gate ? at(before, i) : 0.0) + at(dy, i) * factor * slope, 3e-5);
            const double want_up = at(dy, i) * f.value(at(gate, i));
            ASSERT_NEAR(at(d_up.values(), i), has_up ? (adds_up ? at(before, i) : 0.0) + want_up : at(before, i), 3e-5);
          }
          if (aligned) {
            first = d_gate.values();
          } else {
            ASSERT_EQ(d_gate.values(), first);
          }
        }
      }
    });
  }
}

TEST(Loops, GatesFarFromZeroHaveTheirLimits) {
  const std::vector<float> gate{-1e4F, -200.0F, -90.0F, 90.0F, 200.0F, 1e4F};
  const std::vector<float> dy(gate.size(), 1.0F);
  for (const Activation& f : {kActivations[0], kActivations[2]}) {
    std::vector<float> d_gate(gate.size());
    f.backward(gate.data(), nullptr, dy.data(), std::ssize(gate), false, false, d_gate.data(), nullptr);
    for (std::size_t i = 0; i < gate.size(); ++i)
      EXPECT_NEAR(at(d_gate, i), gate[i] < 0.0F ? 0.0 : 1.0, 1e-6) << f.name;
  }
}

TEST(Loops, AdamWIsTheRuleOfThePaper) {
  for_each_length([](std::int64_t n) {
    const auto g = numbers(n, 18);
    const auto w = numbers(n, 19);
    const auto m = numbers(n, 20, 0.1);
    auto v = numbers(n, 21, 0.1);
    for (float& value : v) value *= value;
    const loops::AdamW a{.learning_rate = 0.01F,
                         .weight_decay = 0.1F,
                         .beta1 = 0.9F,
                         .beta2 = 0.95F,
                         .epsilon = 1e-8F,
                         .gradient_factor = 0.5F,
                         .mean_correction = 0.271F,
                         .root_of_correction = 0.377F};
    std::vector<float> first;
    for (const bool aligned : {true, false}) {
      Row master(w, aligned);
      Row moment(m, aligned);
      Row second(v, aligned);
      loops::adamw(a, Row(g, aligned).data(), n, master.data(), moment.data(), second.data());
      for (std::size_t i = 0; i < g.size(); ++i) {
        const double gradient = at(g, i) * 0.5;
        const double beta1 = static_cast<double>(a.beta1);
        const double beta2 = static_cast<double>(a.beta2);
        const double mean = at(m, i) * beta1 + gradient * (1.0 - beta1);
        const double square = at(v, i) * beta2 + gradient * gradient * (1.0 - beta2);
        const double rate = static_cast<double>(a.learning_rate);
        const double move = mean / static_cast<double>(a.mean_correction) /
                            (std::sqrt(square) / static_cast<double>(a.root_of_correction) + 1e-8);
        ASSERT_NEAR(at(moment.values(), i), mean, 1e-6);
        ASSERT_NEAR(at(second.values(), i), square, 1e-6);
        ASSERT_NEAR(at(master.values(), i), at(w, i) - rate * (move + static_cast<double>(a.weight_decay) * at(w, i)),
                    1e-6);
      }
      if (aligned) {
        first = master.values();
      } else {
        ASSERT_EQ(master.values(), first);
      }
    }
  });
}

}  // namespace
}  // namespace tern::train
