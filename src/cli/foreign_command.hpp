// Commands that fingers know from other programs, foremost llama.cpp's: "merge", "llama-cli", "gguf-split", "serve".
// Not commands of Tern; each has the one that does the work here, or the plain word that none does.
#pragma once

#include <span>
#include <string_view>

namespace tern::cli {

struct ForeignCommand {
  std::string_view names;   // separated by spaces, with hyphens for underscores and without .py
  std::string_view advice;  // without a final full stop
};

/// All of them.
[[nodiscard]] std::span<const ForeignCommand> foreign_commands();

/// The advice for a word in the place of a command; "" for a word of no other program that is known here.
[[nodiscard]] std::string_view command_elsewhere(std::string_view word);

}  // namespace tern::cli
