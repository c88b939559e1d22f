// Uses every public header of an installed libtern, the library's code behind it, and its errors.
#include <tern/error.hpp>
#include <tern/model.hpp>
#include <tern/quantize.hpp>
#include <tern/version.hpp>

#include <cstdio>
#include <string>
#include <vector>

int main() {
  const std::vector<float> values(512, 0.25F);
  const auto tensor = tern::quantize("q8_0", values, 2, 256);
  if (!tensor || tensor->bytes.size() != 2 * 256 / 32 * 34) return 1;
  const auto back = tern::dequantize(*tensor);
  if (!back || back->size() != values.size()) return 2;

  const auto model = tern::Model::load("no-such-model.gguf");  // links the engine, the tokenizers, PCRE2
  if (model || model.error().code != tern::ErrorCode::not_found) return 3;

  std::printf("tern %s: %zu formats\n", tern::kVersion, tern::weight_formats().size());
  return 0;
}
