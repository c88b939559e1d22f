// What stands behind --tensor-type and --override-kv: the input up to the first zero byte, matched against names of
// tensors (the rest of the input is one more) and put into metadata.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "convert/metadata_override.hpp"
#include "convert/tensor_types.hpp"
#include "one_line.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern;
  const std::string_view whole(reinterpret_cast<const char*>(data), size);
  const std::size_t end = whole.find('\0');
  const std::string_view text = whole.substr(0, end);
  const std::string_view name = end == std::string_view::npos ? "" : whole.substr(end + 1, 63);

  if (const auto type = convert::parse_tensor_type(text); !type) {
    tern::fuzz::check_one_line(type.error(), 1200);
  } else {
    TERN_CHECK(type->format != nullptr);
    for (const std::string_view tensor : {std::string_view("blk.0.attn_q.weight"), name}) {
      if (const auto found = convert::type_for({&*type, 1}, tensor); !found)
        tern::fuzz::check_one_line(found.error(), 1200);
    }
  }
  const auto override = convert::parse_metadata_override(text);
  if (!override) {
    tern::fuzz::check_one_line(override.error(), 1200);
    return 0;
  }
  files::Metadata metadata;
  metadata.set("llama.block_count", std::uint32_t{2});
  metadata.set("general.name", std::string("a"));
  metadata.set("llama.rope.freq_base", 1e4F);
  metadata.set("tokenizer.ggml.add_bos_token", true);
  if (const auto done = convert::override_metadata({&*override, 1}, metadata); !done) {
    tern::fuzz::check_one_line(done.error(), 1200);
  } else {
    TERN_CHECK(metadata.contains(override->key));
  }
  return 0;
}
