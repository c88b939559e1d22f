#include "cli/pre_option.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <string_view>

#include "text/pre_names.hpp"

namespace tern::cli {

void declare_pre(CLI::App& app, std::string& name) {
  static constexpr std::array<std::string_view, 3> kExamples{"gpt-2", "llama-bpe", "qwen2"};
  const auto n_more = std::ranges::count_if(text::pre_tokenizer_names(), [](std::string_view known) {
    return std::ranges::find(kExamples, known) == kExamples.end();
  });
  app.add_option("--pre", name,
                 fmt::format("pre-tokeniser; goes before what the source says of it: {} or one of {} more, which the "
                             "shell completes (tern completion)",
                             fmt::join(kExamples, ", "), n_more))
      ->type_name("NAME");
}

std::vector<std::string> pre_choices() {
  const auto names = text::pre_tokenizer_names();
  return {names.begin(), names.end()};
}

}  // namespace tern::cli
