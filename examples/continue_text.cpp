// Loads a model and continues a text, piece by piece as it becomes certain.
//   continue_text MODEL.gguf "Once upon a time" [TOKENS]
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tern/model.hpp"

int main(int argc, char** argv) {
  if (argc < 3 || argc > 4) {
    std::fprintf(stderr, "usage: continue_text MODEL.gguf PROMPT [TOKENS]\n");
    return 2;
  }
  const std::string_view prompt = argv[2];

  auto model = tern::Model::load(argv[1]);
  if (!model) {
    std::fprintf(stderr, "%s\n", model.error().message.c_str());
    return 1;
  }
  std::fprintf(stderr, "%s, %lld tokens of vocabulary, context %lld\n", model->architecture().c_str(),
               static_cast<long long>(model->n_vocab()), static_cast<long long>(model->n_ctx()));

  tern::GenerationOptions options;
  options.temperature = 0.0F;  // always the likeliest token: the same text every time
  options.n_predict = argc > 3 ? std::atoll(argv[3]) : 64;

  const auto print = [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
    return true;  // false would stop here
  };
  print(prompt);
  const auto text = model->generate(prompt, options, print);
  std::fputc('\n', stdout);
  if (!text) {
    std::fprintf(stderr, "%s\n", text.error().message.c_str());
    return 1;
  }
  return 0;
}
