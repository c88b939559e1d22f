#include "convert/mixtures.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "base/words.hpp"
#include "formats/all.hpp"

namespace tern::convert {
namespace {

using enum WeightRole;
using formats::kF16;
using formats::kQ2_K;
using formats::kQ3_K;
using formats::kQ4_K;
using formats::kQ5_K;
using formats::kQ6_K;
using formats::kQ8_0;
using Rule = MixtureRule;

// Beside eight experts the keys and values weigh next to nothing.
constexpr std::array kCommon{
    Rule{value, Layers::all, Models::eight_experts, &kQ8_0},
    Rule{key, Layers::all, Models::eight_experts, &kQ8_0},
};
constexpr std::array kQ2KRules{
    Rule{value, Layers::all, Models::shared_keys, &kQ4_K},
    Rule{value, Layers::all, Models::all, &kQ3_K},
    Rule{down, Layers::all, Models::all, &kQ3_K},
    Rule{attention_output, Layers::all, Models::falcon, &kQ2_K},
    Rule{attention_output, Layers::all, Models::eight_experts, &kQ5_K},
    Rule{attention_output, Layers::all, Models::all, &kQ3_K},
};
constexpr std::array kQ2KSRules{
    Rule{value, Layers::all, Models::shared_keys, &kQ4_K},
    Rule{down, Layers::first_eighth, Models::all, &kQ4_K},
};
constexpr std::array kQ3KSRules{
    Rule{attention_output, Layers::all, Models::eight_experts, &kQ5_K},
};
constexpr std::array kQ3KMRules{
    Rule{value, Layers::first_two, Models::all, &kQ5_K},
    Rule{value, Layers::all, Models::all, &kQ4_K},
    Rule{down, Layers::first_sixteenth, Models::all, &kQ5_K},
    Rule{down, Layers::important, Models::falcon, &kQ4_K},
    Rule{down, Layers::all, Models::falcon, &kQ3_K},
    Rule{down, Layers::all, Models::all, &kQ4_K},
    Rule{attention_output, Layers::all, Models::falcon, &kQ3_K},
    Rule{attention_output, Layers::all, Models::eight_experts, &kQ5_K},
    Rule{attention_output, Layers::all, Models::all, &kQ4_K},
};
constexpr std::array kQ3KLRules{
    Rule{value, Layers::all, Models::all, &kQ5_K},
    Rule{down, Layers::all, Models::falcon, &kQ4_K},
    Rule{down, Layers::all, Models::all, &kQ5_K},
    Rule{attention_output, Layers::all, Models::falcon, &kQ4_K},
    Rule{attention_output, Layers::all, Models::eight_experts, &kQ3_K},
    Rule{attention_output, Layers::all, Models::all, &kQ5_K},
};
constexpr std::array kQ4KSRules{
    Rule{value, Layers::first_four, Models::all, &kQ5_K},
    Rule{down, Layers::all, Models::falcon, &kQ4_K},
    Rule{down, Layers::first_eighth, Models::all, &kQ5_K},
    Rule{attention_output, Layers::all, Models::eight_experts, &kQ5_K},
};
constexpr std::array kQ4KMRules{
    Rule{value, Layers::important, Models::all, &kQ6_K},
    Rule{down, Layers::first_sixteenth, Models::falcon, &kQ6_K},
    Rule{down, Layers::important, Models::falcon, &kQ5_K},
    Rule{down, Layers::all, Models::falcon, &kQ4_K},
    Rule{down, Layers::important, Models::all, &kQ6_K},
    Rule{attention_output, Layers::all, Models::eight_experts, &kQ5_K},
};
constexpr std::array kQ5KMRules{
    Rule{value, Layers::important, Models::all, &kQ6_K},
    Rule{down, Layers::important, Models::all, &kQ6_K},
};
constexpr std::array kTernaryRules{
    Rule{embedding, Layers::all, Models::all, &kQ4_K},
};
// As BitNet's own files have it; --quant-embd makes the table Q6_K.
constexpr std::array kI2SRules{
    Rule{embedding, Layers::all, Models::all, &kF16},
    Rule{head, Layers::all, Models::all, &kF16},
};

constexpr std::array kListed{
    Mixture{"Q5_K_M", &kQ5_K, 17, "Q5_K, half of the values and down projections Q6_K", kQ5KMRules, "Q5_K"},
    Mixture{"Q5_K_S", &kQ5_K, 16, "Q5_K throughout, head Q6_K"},
    Mixture{"Q4_K_M", &kQ4_K, 15, "Q4_K, half of the values and down projections Q6_K", kQ4KMRules, "Q4_K"},
    Mixture{"Q4_K_S", &kQ4_K, 14, "Q4_K, the first values and down projections Q5_K", kQ4KSRules},
    Mixture{"Q3_K_L", &kQ3_K, 13, "Q3_K, values, down and output projections Q5_K", kQ3KLRules},
    Mixture{"Q3_K_M", &kQ3_K, 12, "Q3_K, values, down and output projections Q4_K or Q5_K", kQ3KMRules, "Q3_K"},
    Mixture{"Q3_K_S", &kQ3_K, 11, "Q3_K throughout, head Q6_K", kQ3KSRules},
    Mixture{"Q2_K", &kQ2_K, 10, "Q2_K, values, down and output projections Q3_K or Q4_K", kQ2KRules},
    Mixture{.name = "Q2_K_S",
            .format = &kQ2_K,
            .number = 21,
            .summary = "nearly all in Q2_K: needs an importance matrix, which Tern cannot read yet",
            .rules = kQ2KSRules,
            .needs_importance = true},
    Mixture{"Q2_0", &formats::kQ2_0, 41, formats::kQ2_0.summary, kTernaryRules},
    Mixture{"TQ2_0", &formats::kTQ2_0, 37, formats::kTQ2_0.summary, kTernaryRules},
    Mixture{"TQ1_0", &formats::kTQ1_0, 36, formats::kTQ1_0.summary, kTernaryRules},
    Mixture{"I2_S", &formats::kI2_S, -1, formats::kI2_S.summary, kI2SRules},
};
constexpr Mixture kCopy{.name = "COPY",
                        .format = &formats::kF32,
                        .number = -1,
                        .summary = "every tensor as it is, with the metadata rewritten",
                        .copies = true};

// By name: with -fsanitize=undefined GCC takes no comparison of these addresses for constant.
constexpr bool is_of(const Mixture& mixture, const formats::Format* format) {
  return mixture.format->name == format->name;
}

constexpr bool is_listed(const formats::Format* format) {
  return std::ranges::any_of(kListed, [format](const Mixture& mixture) { return is_of(mixture, format); });
}

consteval std::size_t count() {
  std::size_t n = kListed.size() + 1;
  for (const formats::Format* format : formats::kAll) n += is_listed(format) ? 0 : 1;
  return n;
}

// In the order of the formats, a format's mixtures side by side.
constexpr auto kAll = [] {
  std::array<Mixture, count()> all{};
  std::size_t n = 0;
  for (const formats::Format* format : formats::kAll) {
    if (!is_listed(format)) all[n++] = Mixture{format->name, format, format->file_type, format->summary};
    for (const Mixture& mixture : kListed) {
      if (is_of(mixture, format)) all[n++] = mixture;
    }
  }
  all[n] = kCopy;
  return all;
}();

consteval bool names_and_numbers_are_unique() {
  for (std::size_t i = 0; i < kAll.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (kAll[i].name == kAll[j].name || (kAll[i].number >= 0 && kAll[i].number == kAll[j].number)) return false;
      if (kAll[i].name == kAll[j].alias || kAll[i].alias == kAll[j].name) return false;
    }
  }
  return true;
}
static_assert(names_and_numbers_are_unique(), "two mixtures share a name or a number");

// What llama-quantize knows besides, so that it can be refused by name.
constexpr std::array<std::string_view, 14> kElsewhere{"IQ1_S",  "IQ1_M",   "IQ2_XXS",   "IQ2_XS", "IQ2_S",
                                                      "IQ2_M",  "IQ3_XXS", "IQ3_XS",    "IQ3_S",  "IQ3_M",
                                                      "IQ4_NL", "IQ4_XS",  "MXFP4_MOE", "NVFP4"};

std::string known() {
  std::string text;
  for (const Mixture& mixture : kAll) text.append(text.empty() ? "" : ", ").append(mixture.name);
  return text;
}

}  // namespace

std::span<const MixtureRule> common_rules() {
  return kCommon;
}

std::span<const Mixture> mixtures() {
  return kAll;
}

Result<const Mixture*> mixture_by_name(std::string_view name) {
  std::vector<std::string_view> names;
  int number = -1;
  const char* end = name.data() + name.size();
  const bool is_number = !name.empty() && std::from_chars(name.data(), end, number).ptr == end && number >= 0;
  for (const Mixture& mixture : kAll) {
    if (equal_ignoring_case(mixture.name, name) || (!name.empty() && equal_ignoring_case(mixture.alias, name)) ||
        (is_number && mixture.number == number)) {
      return &mixture;
    }
    names.push_back(mixture.name);
  }
  for (const std::string_view other : kElsewhere) {
    if (equal_ignoring_case(other, name)) {
      return fail(ErrorCode::usage, "{} is not supported by Tern; known are {}", other, known());
    }
  }
  return fail(ErrorCode::usage, "unknown type '{}'{}; known are {}", printable(name), did_you_mean(name, names),
              known());
}

bool applies(Layers layers, std::int64_t layer, std::int64_t n_layers) {
  const std::int64_t eighth = n_layers / 8;
  switch (layers) {
    case Layers::all:
      return true;
    case Layers::first_two:
      return layer < 2;
    case Layers::first_four:
      return layer < 4;
    case Layers::first_sixteenth:
      return layer < n_layers / 16;
    case Layers::first_eighth:
      return layer < eighth;
    case Layers::important:
      return layer < eighth || layer >= 7 * n_layers / 8 || (layer - eighth) % 3 == 2;
  }
  return false;
}

}  // namespace tern::convert
