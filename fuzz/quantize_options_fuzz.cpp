// What stands behind --tensor-type and --override-kv: the input up to the first zero byte, matched against names of
// tensors (the rest of the input is one more) and put into metadata.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "convert/metadata_override.hpp"
#include "convert/tensor_types.hpp"

namespace {

void one_line(const tern::Error& error) {
  TERN_CHECK(!error.message.empty() && error.message.find('\n') == std::string::npos);
  TERN_CHECK(error.message.size() < 1200);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern;
  const std::string_view whole(reinterpret_cast<const char*>(data), size);
  const std::size_t end = whole.find('\0');
  const std::string_view text = whole.substr(0, end);
  const std::string_view name = end == std::string_view::npos ? "" : whole.substr(end + 1, 63);

  if (const auto type = convert::parse_tensor_type(text); !type) {
    one_line(type.error());
  } else {
    TERN_CHECK(type->format != nullptr);
    for (const std::string_view tensor : {std::string_view("blk.0.attn_q.weight"), name}) {
      if (const auto found = convert::type_for({&*type, 1}, tensor); !found) one_line(found.error());
    }
  }
  const auto override = convert::parse_metadata_override(text);
  if (!override) {
    one_line(override.error());
    return 0;
  }
  files::Metadata metadata;
  metadata.set("llama.block_count", std::uint32_t{2});
  metadata.set("general.name", std::string("a"));
  metadata.set("llama.rope.freq_base", 1e4F);
  metadata.set("tokenizer.ggml.add_bos_token", true);
  if (const auto done = convert::override_metadata({&*override, 1}, metadata); !done) {
    one_line(done.error());
  } else {
    TERN_CHECK(metadata.contains(override->key));
  }
  return 0;
}
