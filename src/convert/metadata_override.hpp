// What --override-kv says: a key of the metadata and the value it shall have in the file written. The spelling and the
// limits are llama-quantize's: KEY=int:N, float:X, bool:true, str:TEXT; keys and texts of at most 127 bytes.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "files/metadata.hpp"

namespace tern::convert {

struct MetadataOverride {
  std::string key;
  files::MetaValue value;  // uint32, float32, bool or string
};

/// Errors: usage, with the text quoted: no '=', an unknown type, a value that is not of it or does not fit.
[[nodiscard]] Result<MetadataOverride> parse_metadata_override(std::string_view text);

/// Sets or adds the keys, a later one over an earlier. Errors: usage for a key that says how a file is divided, and for
/// a value of another kind than the file has there.
[[nodiscard]] Result<void> override_metadata(std::span<const MetadataOverride> overrides, files::Metadata& metadata);

}  // namespace tern::convert
