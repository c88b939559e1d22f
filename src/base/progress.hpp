// Where long work reports how far it is. Libraries report; only the program decides whether anything is drawn.
#pragma once

#include <cstdint>
#include <string_view>

namespace tern {

class Progress {
 public:
  virtual ~Progress() = default;
  /// A new piece of work of `total` units (bytes, chunks, tensors) begins.
  virtual void begin(std::string_view /*what*/, std::uint64_t /*total*/) {}
  /// `done` of `total` units are finished; `note` may say what is in hand.
  virtual void update(std::uint64_t /*done*/, std::string_view /*note*/ = {}) {}
  virtual void end() {}
  /// A line a person should see (a fallback, a rounding error); one line, no newline.
  virtual void note(std::string_view /*line*/) {}
  /// True when the user asked to stop; long loops ask once per unit.
  [[nodiscard]] virtual bool cancelled() const { return false; }
};

}  // namespace tern
