// Just enough of Protocol Buffers' wire format to read a SentencePiece model: fields in order, varints, 32-bit and
// 64-bit values, length-delimited bytes. No groups, no schema. Source: protobuf.dev, "Encoding".
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

#include "base/byte_cursor.hpp"
#include "text/readers.hpp"

namespace tern::text {

struct ProtobufField {
  std::uint32_t number = 0;
  std::uint32_t wire_type = 0;  // 0 varint, 1 64-bit, 2 bytes, 5 32-bit
  std::uint64_t value = 0;      // of types 0, 1, 5
  Bytes bytes;                  // of type 2

  [[nodiscard]] std::string_view text() const { return as_text(bytes); }
  [[nodiscard]] float as_float() const { return std::bit_cast<float>(static_cast<std::uint32_t>(value)); }
  /// int32 fields are sign-extended to 64 bits on the wire.
  [[nodiscard]] std::int32_t as_int32() const { return static_cast<std::int32_t>(static_cast<std::uint32_t>(value)); }
};

class ProtobufReader {
 public:
  explicit ProtobufReader(Bytes message) : cursor_(message) {}
  [[nodiscard]] bool at_end() const { return cursor_.remaining() == 0; }

  /// Requires: not at_end().
  [[nodiscard]] Result<ProtobufField> next() {
    ProtobufField field;
    const std::size_t at = cursor_.position();
    TERN_TRY(const std::uint64_t tag, varint());
    if (tag > 0xFFFFFFFFU || (tag >> 3) == 0) {
      return fail(ErrorCode::bad_input, "protobuf field tag {} at byte {} is not valid", tag, at);
    }
    field.number = static_cast<std::uint32_t>(tag >> 3);
    field.wire_type = static_cast<std::uint32_t>(tag & 7);
    if (field.wire_type == 0) {
      TERN_TRY(field.value, varint());
    } else if (field.wire_type == 1) {
      TERN_TRY(field.value, cursor_.read<std::uint64_t>("a 64-bit protobuf value"));
    } else if (field.wire_type == 2) {
      TERN_TRY(const std::uint64_t length, varint());
      TERN_TRY(field.bytes, cursor_.take(length, "a protobuf field"));
    } else if (field.wire_type == 5) {
      TERN_TRY(field.value, cursor_.read<std::uint32_t>("a 32-bit protobuf value"));
    } else {
      return fail(ErrorCode::bad_input, "protobuf field {} at byte {} has wire type {}, expected 0, 1, 2 or 5",
                  field.number, at, field.wire_type);
    }
    return field;
  }

 private:
  [[nodiscard]] Result<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      TERN_TRY(const auto byte, cursor_.read<std::uint8_t>("a protobuf varint"));
      if (shift == 63 && byte > 1) break;
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    return fail(ErrorCode::bad_input, "a protobuf varint before byte {} is longer than 64 bits", cursor_.position());
  }

  ByteCursor cursor_;
};

}  // namespace tern::text
