// A regular expression searched for in tensors' names. Not the tokenizers' patterns: no Unicode, any case of letters,
// and a budget of work for each search, since the expression comes from the command line. Engine: PCRE2.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace tern::convert {

class NamePattern {
 public:
  static constexpr std::size_t kMaxBytes = 1000;

  /// Errors: usage for an empty or over-long expression, or one that is not well-formed (what and where).
  [[nodiscard]] static Result<NamePattern> make(std::string_view expression);

  /// Whether it matches anywhere in the name. Errors: usage when the search needs more steps than a name is worth.
  [[nodiscard]] Result<bool> is_in(std::string_view name) const;
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  struct Code;
  NamePattern() = default;
  std::string text_;
  std::shared_ptr<const Code> code_;
};

}  // namespace tern::convert
