// Puts one tensor into every weight format and prints what each costs: bits a weight, bytes, and the error.
//   quantize_tensor            values like a trained layer's: normal, with one outlier in a thousand
//   quantize_tensor --ternary  values that are -s, 0 or +s, as BitNet trains them
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string_view>
#include <vector>

#include "tern/quantize.hpp"

namespace {

constexpr std::int64_t kRows = 64;
constexpr std::int64_t kRowLength = 1024;

std::vector<float> like_a_trained_layer() {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0.0F, 0.02F);
  std::vector<float> values(kRows * kRowLength);
  for (float& value : values) {
    value = normal(random);
    if (random() % 1000 == 0) value *= 8.0F;
  }
  return values;
}

std::vector<float> ternary() {
  std::mt19937 random(1);
  std::vector<float> values(kRows * kRowLength);
  for (float& value : values) value = 0.0371F * static_cast<float>(static_cast<int>(random() % 3) - 1);
  return values;
}

}  // namespace

int main(int argc, char** argv) {
  const bool wants_ternary = argc == 2 && std::string_view(argv[1]) == "--ternary";
  if (argc > 1 && !wants_ternary) {
    std::fprintf(stderr, "usage: quantize_tensor [--ternary]\n");
    return 2;
  }
  const std::vector<float> values = wants_ternary ? ternary() : like_a_trained_layer();

  std::printf("%lld x %lld values\n\n", static_cast<long long>(kRows), static_cast<long long>(kRowLength));
  std::printf("%-8s %12s %10s %14s %12s\n", "format", "bits/weight", "bytes", "rmse", "error");
  for (const tern::FormatInfo& format : tern::weight_formats()) {
    const auto tensor = tern::quantize(format.name, values, kRows, kRowLength);
    if (!tensor) {  // a format that cannot hold these values says why
      std::printf("%-8s %12.4f %10s  %s\n", format.name.c_str(), format.bits_per_weight, "-",
                  tensor.error().message.c_str());
      continue;
    }
    std::printf("%-8s %12.4f %10zu %14.4e %11.4f%%\n", format.name.c_str(), format.bits_per_weight,
                tensor->bytes.size(), tensor->rmse, 100.0 * tensor->relative_error);
  }
  return EXIT_SUCCESS;
}
