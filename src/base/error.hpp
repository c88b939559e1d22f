// Errors as values: Result<T> for everything that comes from outside (files, arguments, requests), TERN_CHECK for
// our own bugs. A message is one line that says what, got, expected and what to do; context is added going up.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "tern/error.hpp"  // Error, ErrorCode, Result: part of the public interface

namespace tern {

/// The text with line breaks and other control characters as \xNN: whatever a message quotes, it stays one line.
[[nodiscard]] std::string in_one_line(std::string text);

/// Builds an unexpected Error with a formatted message: `return fail(ErrorCode::bad_input, "{}: ...", name);`
template <typename... Args>
[[nodiscard]] std::unexpected<Error> fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected<Error>(Error{code, in_one_line(fmt::format(format, std::forward<Args>(args)...))});
}

/// Puts "context: " in front of an error's message; used going up (field -> tensor -> file).
[[nodiscard]] std::unexpected<Error> in_context(std::string_view context, Error error);

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace tern

/// Our own invariants. No byte sequence from outside may reach a failing TERN_CHECK; the fuzzers enforce it.
#define TERN_CHECK(condition)                                               \
  do {                                                                      \
    if (!(condition)) ::tern::check_failed(#condition, __FILE__, __LINE__); \
  } while (false)

#define TERN_CONCAT_(a, b) a##b
#define TERN_CONCAT(a, b) TERN_CONCAT_(a, b)

/// TERN_TRY(auto x, expression): x = value, or return the error from the enclosing function.
#define TERN_TRY(declaration, expression) TERN_TRY_(TERN_CONCAT(tern_result_, __COUNTER__), declaration, expression)
#define TERN_TRY_(name, declaration, expression)                             \
  auto&& name = (expression);                                                \
  if (!name) return std::unexpected<::tern::Error>(std::move(name).error()); \
  declaration = std::move(name).value()

/// TERN_TRY_DO(expression): the same for Result<void>.
#define TERN_TRY_DO(expression)                                                                \
  do {                                                                                         \
    auto&& tern_status_ = (expression);                                                        \
    if (!tern_status_) return std::unexpected<::tern::Error>(std::move(tern_status_).error()); \
  } while (false)
