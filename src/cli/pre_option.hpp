// --pre: the pre-tokeniser by name, the same in every command that reads a tokenizer.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace tern::cli {

void declare_pre(CLI::App& app, std::string& name);

/// What a shell completes behind it.
[[nodiscard]] std::vector<std::string> pre_choices();

}  // namespace tern::cli
