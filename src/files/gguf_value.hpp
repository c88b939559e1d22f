// One metadata value from and to GGUF bytes. Shared by the reader and the layout; nothing outside this room needs it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/byte_cursor.hpp"
#include "base/error.hpp"
#include "files/metadata.hpp"

namespace tern::files {

/// Arrays may hold arrays down to this depth (an array of numbers has depth 1).
inline constexpr int kMaxArrayDepth = 4;
/// Arrays inside arrays per file: each costs several times its bytes in memory, and nobody writes many.
inline constexpr std::size_t kMaxNestedArrays = 65536;

/// Reads a length and that many bytes; `what` names it in errors. The view lives as long as the cursor's bytes.
[[nodiscard]] Result<std::string_view> read_gguf_string(ByteCursor& cursor, std::string_view what,
                                                        std::uint64_t max_bytes);

class GgufValueReader {
 public:
  explicit GgufValueReader(ByteCursor& cursor) : cursor_(cursor) {}
  /// Reads the type number and the value.
  [[nodiscard]] Result<MetaValue> read();

 private:
  [[nodiscard]] Result<MetaValue> read_scalar(MetaType type);
  [[nodiscard]] Result<MetaValue> read_array(int depth);

  ByteCursor& cursor_;
  std::size_t n_nested_ = 0;
};

void append_gguf_string(std::string& out, std::string_view text);
/// Type number and value.
void append_gguf_value(std::string& out, const MetaValue& value);

}  // namespace tern::files
