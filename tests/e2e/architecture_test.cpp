// Adding an architecture is one file: this one is an architecture that no model has, defined here alone, written as
// GGUF, loaded through the ordinary loader and run by the ordinary engine. It uses what LLaMA and BitNet do not: layer
// norm with bias, a norm per head, query, key and value from different inputs, biases, partial rotation, a sliding
// window, capped scores, an ungated activation, scaled values. The expected logits are computed by a plain
// double-precision walk through the same equations below, which shares no code with the engine.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "formats/all.hpp"
#include "models/plan_builder.hpp"
#include "tests/support/models.hpp"
#include "tests/support/tiny_model.hpp"

namespace tern::test {
namespace {

using models::HyperParameters;
using models::PlanBuilder;
using models::RopeStep;
using models::TensorId;
using models::TensorRole;
using models::Unary;
using models::ValueId;

constexpr float kEmbedScale = 0.5F;
constexpr float kResidualScale = 0.7F;
constexpr float kSoftCap = 2.0F;
constexpr std::int64_t kWindow = 7;
constexpr std::int64_t kRotary = 32;

models::Plan odd_plan(const HyperParameters& p) {
  PlanBuilder b;
  const models::ActivationPolicy exact{models::ActivationPolicy::Mode::none, 8};
  const TensorId table = b.tensor("token_embd.weight", matrix_shape(p.n_embd, p.n_vocab), TensorRole::embedding);
  ValueId x = b.embed("x", table, kEmbedScale);
  const auto linear = [&](std::string_view name, ValueId in, std::int64_t out) {
    const TensorId weight =
        b.tensor(fmt::format("{}.weight", name), matrix_shape(b.width(in), out), TensorRole::linear);
    return b.linear(name, in, weight, exact,
                    b.tensor(fmt::format("{}.bias", name), vector_shape(out), TensorRole::bias));
  };
  const auto layer_norm = [&](std::string_view name, ValueId in) {
    return b.norm(name, {.in = in,
                         .out = models::kNone,
                         .weight = b.tensor(fmt::format("{}.weight", name), vector_shape(p.n_embd), TensorRole::norm),
                         .bias = b.tensor(fmt::format("{}.bias", name), vector_shape(p.n_embd), TensorRole::bias),
                         .kind = models::NormStep::Kind::layer,
                         .eps = p.norm_eps});
  };
  for (std::int64_t layer = 0; layer < p.n_layers; ++layer) {
    b.scope(fmt::format("blk.{}.", layer));
    const ValueId normed = layer_norm("attn_norm", x);
    const ValueId q = linear("attn_q", normed, p.n_heads * p.head_dim);
    const ValueId k = linear("attn_k", x, p.n_kv_heads * p.head_dim);  // another input than the query's
    const ValueId v = linear("attn_v", normed, p.n_kv_heads * p.head_dim);
    const ValueId q_norm =
        b.rms_norm("q_norm", q, b.tensor("attn_q_norm.weight", vector_shape(p.head_dim), TensorRole::norm), p.norm_eps,
                   p.head_dim);
    const ValueId k_norm =
        b.rms_norm("k_norm", k, b.tensor("attn_k_norm.weight", vector_shape(p.head_dim), TensorRole::norm), p.norm_eps,
                   p.head_dim);
    const auto rotate = [&](std::string_view name, ValueId in, std::int64_t n_heads) {
      return b.rope(name, {.in = in,
                           .out = models::kNone,
                           .n_heads = n_heads,
                           .head_dim = p.head_dim,
                           .n_rotary = kRotary,
                           .pairing = RopeStep::Pairing::half_split,
                           .base = p.rope_base,
                           .scaling = {}});
    };
    const ValueId mixed = b.attention("mixed", {.query = rotate("q_rot", q_norm, p.n_heads),
                                                .key = rotate("k_rot", k_norm, p.n_kv_heads),
                                                .value = v,
                                                .out = models::kNone,
                                                .kv_layer = 0,
                                                .n_heads = p.n_heads,
                                                .n_kv_heads = p.n_kv_heads,
                                                .head_dim = p.head_dim,
                                                .scale = 0.2F,
                                                .window = kWindow,
                                                .causal = true,
                                                .soft_cap = kSoftCap});
    x = b.add("x_attn", b.scale("residual", x, kResidualScale), linear("attn_output", mixed, p.n_embd));
    const ValueId hidden = b.unary("hidden", linear("ffn_up", layer_norm("ffn_norm", x), p.n_ff), Unary::gelu_tanh);
    x = b.add("x", x, linear("ffn_down", hidden, p.n_embd));
  }
  b.scope("");
  b.head("logits", layer_norm("output_norm", x), table);
  return b.take();
}

const models::Architecture kOdd{
    .name = "odd",
    .summary = "an architecture of this test",
    .defaults = [] { return HyperParameters{}; },
    .plan = &odd_plan,
    .hugging_face_classes = {},
    .describes = nullptr,
    .tensor_names = {},
};
constexpr std::array<const models::Architecture*, 1> kList{&kOdd};

// The oracle: the equations, once more, in double.
class Walk {
 public:
  explicit Walk(const models::ModelFile& file) : file_(file), p_(file.parameters()) {}

  using Vector = std::vector<double>;

  std::vector<Vector> logits(const std::vector<std::int32_t>& ids) {
    std::vector<Vector> x;
    for (const std::int32_t id : ids) {
      Vector row = matrix_row("token_embd.weight", id);
      for (double& value : row) value *= static_cast<double>(kEmbedScale);
      x.push_back(std::move(row));
    }
    for (std::int64_t layer = 0; layer < p_.n_layers; ++layer) run_layer(fmt::format("blk.{}.", layer), x);
    std::vector<Vector> out;
    for (const Vector& row : x) {
      const Vector last = layer_norm("output_norm", row);
      Vector scores;
      for (std::int64_t token = 0; token < p_.n_vocab; ++token)
        scores.push_back(dot(matrix_row("token_embd.weight", token), last));
      out.push_back(std::move(scores));
    }
    return out;
  }

 private:
  void run_layer(const std::string& at, std::vector<Vector>& x) {
    std::vector<Vector> q;
    std::vector<Vector> k;
    std::vector<Vector> v;
    for (std::size_t t = 0; t < x.size(); ++t) {
      const Vector normed = layer_norm(at + "attn_norm", x[t]);
      q.push_back(prepared(at + "attn_q", normed, at + "attn_q_norm.weight", t));
      k.push_back(prepared(at + "attn_k", x[t], at + "attn_k_norm.weight", t));
      v.push_back(linear(at + "attn_v", normed));
    }
    const auto d = static_cast<std::size_t>(p_.head_dim);
    const auto group = static_cast<std::size_t>(p_.n_heads / p_.n_kv_heads);
    for (std::size_t t = 0; t < x.size(); ++t) {
      Vector mixed(q[t].size(), 0.0);
      for (std::size_t h = 0; h < static_cast<std::size_t>(p_.n_heads); ++h) {
        const std::size_t first =
            t + 1 > static_cast<std::size_t>(kWindow) ? t + 1 - static_cast<std::size_t>(kWindow) : 0;
        Vector weights;
        double sum = 0.0;
        for (std::size_t s = first; s <= t; ++s) {
          double score = 0.0;
          for (std::size_t i = 0; i < d; ++i) score += q[t][h * d + i] * k[s][h / group * d + i];
          score = static_cast<double>(kSoftCap) * std::tanh(0.2F * score / static_cast<double>(kSoftCap));
          weights.push_back(std::exp(score));
          sum += weights.back();
        }
        for (std::size_t s = first; s <= t; ++s) {
          for (std::size_t i = 0; i < d; ++i) mixed[h * d + i] += weights[s - first] / sum * v[s][h / group * d + i];
        }
      }
      const Vector out = linear(at + "attn_output", mixed);
      for (std::size_t i = 0; i < out.size(); ++i) x[t][i] = static_cast<double>(kResidualScale) * x[t][i] + out[i];
      Vector hidden = linear(at + "ffn_up", layer_norm(at + "ffn_norm", x[t]));
      for (double& h : hidden) h = 0.5 * h * (1.0 + std::tanh(std::sqrt(2.0 / M_PI) * (h + 0.044715 * h * h * h)));
      const Vector down = linear(at + "ffn_down", hidden);
      for (std::size_t i = 0; i < down.size(); ++i) x[t][i] += down[i];
    }
  }

  Vector prepared(const std::string& name, const Vector& in, const std::string& norm, std::size_t position) {
    Vector out = linear(name, in);
    const Vector weight = matrix_row(norm, 0);
    const auto d = static_cast<std::size_t>(p_.head_dim);
    for (std::size_t h = 0; h < out.size(); h += d) {
      double squares = 0.0;
      for (std::size_t i = 0; i < d; ++i) squares += out[h + i] * out[h + i];
      const double scale = 1.0 / std::sqrt(squares / static_cast<double>(d) + static_cast<double>(p_.norm_eps));
      for (std::size_t i = 0; i < d; ++i) out[h + i] *= scale * weight[i];
      for (std::size_t i = 0; i < kRotary / 2; ++i) {
        const double angle = static_cast<double>(position) *
                             std::pow(static_cast<double>(p_.rope_base), -2.0 * static_cast<double>(i) / kRotary);
        const double a = out[h + i];
        const double b = out[h + i + kRotary / 2];
        out[h + i] = a * std::cos(angle) - b * std::sin(angle);
        out[h + i + kRotary / 2] = b * std::cos(angle) + a * std::sin(angle);
      }
    }
    return out;
  }

  Vector linear(const std::string& name, const Vector& in) {
    Vector out = matrix_row(name + ".bias", 0);
    for (std::size_t r = 0; r < out.size(); ++r)
      out[r] += dot(matrix_row(name + ".weight", static_cast<std::int64_t>(r)), in);
    return out;
  }

  Vector layer_norm(const std::string& name, const Vector& in) {
    const Vector weight = matrix_row(name + ".weight", 0);
    const Vector bias = matrix_row(name + ".bias", 0);
    double mean = 0.0;
    for (const double value : in) mean += value / static_cast<double>(in.size());
    double variance = 0.0;
    for (const double value : in) variance += (value - mean) * (value - mean) / static_cast<double>(in.size());
    Vector out;
    for (std::size_t i = 0; i < in.size(); ++i) {
      out.push_back((in[i] - mean) / std::sqrt(variance + static_cast<double>(p_.norm_eps)) * weight[i] + bias[i]);
    }
    return out;
  }

  Vector matrix_row(const std::string& name, std::int64_t row) {
    const TensorView* view = file_.tensor(name);
    const auto* values = reinterpret_cast<const float*>(view->bytes.data()) + row * view->shape.row_length();
    return {values, values + view->shape.row_length()};
  }

  static double dot(const Vector& a, const Vector& b) {
    double sum = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
  }

  const models::ModelFile& file_;
  HyperParameters p_;
};

class OddArchitecture : public testing::TestWithParam<const char*> {};

TEST_P(OddArchitecture, RunsAsItsEquationsSay) {
  const TemporaryFolder folder;
  const std::string path = write_tiny_model(folder, {.architecture = "odd", .n_vocab = 270}, kList);
  auto file = must(models::ModelFile::open(path, kList));
  const auto model = must(engine::Model::make(file, {.isa = GetParam()}));
  std::vector<std::int32_t> ids;
  for (std::int32_t i = 0; i < 20; ++i) ids.push_back((i * 37 + 5) % 270);
  const auto got = logits_of(model, ids,
                             {.n_threads = 2,
                              .n_ctx = 64,
                              .n_sequences = 1,
                              .n_batch = 256,
                              .cache = engine::CacheFormats::both(formats::kF32)},
                             {3, 6, 11});
  const auto want = Walk(file).logits(ids);
  double largest = 0.0;
  for (const auto& row : want) {
    for (const double value : row) largest = std::max(largest, std::abs(value));
  }
  for (std::size_t t = 0; t < want.size(); ++t) {
    for (std::size_t i = 0; i < want[t].size(); ++i) {
      ASSERT_NEAR(static_cast<double>(got[t * want[t].size() + i]), want[t][i], 2e-5 * largest)
          << "position " << t << ", token " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, OddArchitecture, testing::Values("", "scalar"));

TEST(OddArchitecture, IsUnknownToThePlainLoaderAndSaysWhatThereIs) {
  const TemporaryFolder folder;
  const std::string path = write_tiny_model(folder, {.architecture = "odd", .n_vocab = 270}, kList);
  const auto refused = models::ModelFile::open(path);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::unsupported);
  EXPECT_NE(refused.error().message.find("architecture \"odd\" is not supported; Tern runs llama, qwen2"),
            std::string::npos)
      << refused.error().message;
}

}  // namespace
}  // namespace tern::test
