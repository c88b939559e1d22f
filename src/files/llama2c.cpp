#include "files/llama2c.hpp"

#include <array>
#include <cstring>
#include <utility>

#include "base/byte_cursor.hpp"
#include "base/words.hpp"
#include "formats/all.hpp"

namespace tern::files {
namespace {

constexpr std::uint32_t kMagic = 0x616b3432;  // "ak42" read as a big number
constexpr std::size_t kHeaderBytesV0 = 7 * sizeof(std::int32_t);
constexpr std::size_t kHeaderBytesV1 = 256;
constexpr std::uint64_t kFloatBytes = sizeof(float);

// Bounds far above any real checkpoint, so low that no product below overflows 64 bits.
constexpr std::int32_t kMaxWidth = 1 << 18;
constexpr std::int32_t kMaxLayers = 1 << 10;
constexpr std::int32_t kMaxVocabulary = 1 << 22;
constexpr std::int32_t kMaxContext = 1 << 24;

Result<void> check_range(std::string_view what, std::int32_t value, std::int32_t max) {
  if (value < 1 || value > max) {
    return fail(ErrorCode::bad_input, "{} is {}, expected 1 to {}: not a llama2.c checkpoint, or a damaged one", what,
                value, max);
  }
  return {};
}

Result<void> check_config(const Llama2cConfig& c) {
  TERN_TRY_DO(check_range("dim", c.dim, kMaxWidth));
  TERN_TRY_DO(check_range("hidden_dim", c.hidden_dim, kMaxWidth));
  TERN_TRY_DO(check_range("n_layers", c.n_layers, kMaxLayers));
  TERN_TRY_DO(check_range("n_heads", c.n_heads, c.dim));
  TERN_TRY_DO(check_range("n_kv_heads", c.n_kv_heads, c.n_heads));
  TERN_TRY_DO(check_range("vocab_size", c.vocab_size, kMaxVocabulary));
  TERN_TRY_DO(check_range("seq_len", c.seq_len, kMaxContext));
  if (c.dim % c.n_heads != 0 || c.head_dim() % 2 != 0) {
    return fail(ErrorCode::bad_input, "dim {} with {} heads, expected heads of an even width", c.dim, c.n_heads);
  }
  if (c.n_heads % c.n_kv_heads != 0) {
    return fail(ErrorCode::bad_input, "{} heads with {} KV heads, expected a divisor", c.n_heads, c.n_kv_heads);
  }
  return {};
}

/// One step of the file: a tensor for the whole model or one for every layer, or numbers to skip.
struct Part {
  std::string_view name;  // a "{}" stands for the layer; empty: skipped
  Shape shape;
  bool per_layer = false;

  [[nodiscard]] std::uint64_t n_floats(const Llama2cConfig& config) const {
    const auto n = static_cast<std::uint64_t>(shape.n_elements());
    return per_layer ? n * static_cast<std::uint64_t>(config.n_layers) : n;
  }
};

/// The order of the file, the one thing this format consists of.
std::vector<Part> parts_of(const Llama2cConfig& c) {
  const Part embedding{"tok_embeddings.weight", matrix_shape(c.dim, c.vocab_size)};
  const Part attention_norm{"layers.{}.attention_norm.weight", vector_shape(c.dim), true};
  const Part ffn_norm{"layers.{}.ffn_norm.weight", vector_shape(c.dim), true};
  const Part norm{"norm.weight", vector_shape(c.dim)};
  const std::array attention{
      Part{"layers.{}.attention.wq.weight", matrix_shape(c.dim, c.dim), true},
      Part{"layers.{}.attention.wk.weight", matrix_shape(c.dim, c.kv_dim()), true},
      Part{"layers.{}.attention.wv.weight", matrix_shape(c.dim, c.kv_dim()), true},
      Part{"layers.{}.attention.wo.weight", matrix_shape(c.dim, c.dim), true},
  };
  const std::array feed_forward{
      Part{"layers.{}.feed_forward.w1.weight", matrix_shape(c.dim, c.hidden_dim), true},
      Part{"layers.{}.feed_forward.w2.weight", matrix_shape(c.hidden_dim, c.dim), true},
      Part{"layers.{}.feed_forward.w3.weight", matrix_shape(c.dim, c.hidden_dim), true},
  };
  std::vector<Part> parts;
  if (c.version == 0) {
    parts = {embedding, attention_norm};
    parts.insert(parts.end(), attention.begin(), attention.end());
    parts.push_back(ffn_norm);
    parts.insert(parts.end(), feed_forward.begin(), feed_forward.end());
    parts.push_back(norm);
    // Tables of cosines and sines for RoPE, which every reader computes itself.
    parts.push_back({"", matrix_shape(c.head_dim() / 2, c.seq_len)});
    parts.push_back({"", matrix_shape(c.head_dim() / 2, c.seq_len)});
  } else {
    parts = {attention_norm, ffn_norm, norm, embedding};
    parts.insert(parts.end(), attention.begin(), attention.end());
    parts.insert(parts.end(), feed_forward.begin(), feed_forward.end());
  }
  if (!c.shared_classifier) parts.push_back({"output.weight", matrix_shape(c.dim, c.vocab_size)});
  return parts;
}

std::size_t header_bytes(const Llama2cConfig& config) {
  return config.version == 0 ? kHeaderBytesV0 : kHeaderBytesV1;
}

std::string name_in_layer(std::string_view pattern, std::int32_t layer) {
  const auto hole = pattern.find("{}");
  return fmt::format("{}{}{}", pattern.substr(0, hole), layer, pattern.substr(hole + 2));
}

}  // namespace

Result<Llama2cConfig> Llama2cFile::read_config(std::span<const std::byte> head, std::uint64_t file_bytes) {
  ByteCursor cursor(head);
  Llama2cConfig config;
  TERN_TRY(auto first, cursor.read<std::int32_t>("the header"));
  if (static_cast<std::uint32_t>(first) == kMagic) {
    TERN_TRY(config.version, cursor.read<std::int32_t>("the version"));
    if (config.version != 1) {
      return fail(ErrorCode::unsupported,
                  "llama2.c version {}, expected 0 or 1 (float32): export it again with --version 1", config.version);
    }
    TERN_TRY(first, cursor.read<std::int32_t>("dim"));
  }
  config.dim = first;
  TERN_TRY(config.hidden_dim, cursor.read<std::int32_t>("hidden_dim"));
  TERN_TRY(config.n_layers, cursor.read<std::int32_t>("n_layers"));
  TERN_TRY(config.n_heads, cursor.read<std::int32_t>("n_heads"));
  TERN_TRY(config.n_kv_heads, cursor.read<std::int32_t>("n_kv_heads"));
  TERN_TRY(config.vocab_size, cursor.read<std::int32_t>("vocab_size"));
  TERN_TRY(config.seq_len, cursor.read<std::int32_t>("seq_len"));
  if (config.version == 1) {
    TERN_TRY(const auto shared, cursor.read<std::uint8_t>("the shared-classifier flag"));
    if (shared > 1) return fail(ErrorCode::bad_input, "shared-classifier flag {}, expected 0 or 1", shared);
    config.shared_classifier = shared == 1;
  } else if (config.vocab_size < 0 && config.vocab_size >= -kMaxVocabulary) {
    config.shared_classifier = false;  // version 0 says it with the sign
    config.vocab_size = -config.vocab_size;
  }
  TERN_TRY_DO(check_config(config));
  std::uint64_t n_floats = 0;
  for (const Part& part : parts_of(config)) n_floats += part.n_floats(config);
  const std::uint64_t wanted = header_bytes(config) + n_floats * kFloatBytes;
  if (wanted != file_bytes) {
    return fail(ErrorCode::bad_input, "{} bytes, but a llama2.c version {} checkpoint of these dimensions has {}: {}",
                file_bytes, config.version, wanted,
                file_bytes < wanted ? "the file is incomplete, get it again" : "not such a checkpoint");
  }
  return config;
}

Result<Llama2cFile> Llama2cFile::open(const std::string& path) {
  TERN_TRY(auto mapped, sys::MappedFile::open(path));
  TERN_TRY(Llama2cFile file, parse(mapped.bytes(), path));
  file.file_ = std::move(mapped);  // the bytes stay where they are
  return file;
}

Result<Llama2cFile> Llama2cFile::parse(std::span<const std::byte> bytes, std::string_view name) {
  Llama2cFile file;
  file.bytes_ = bytes;
  file.name_ = name;
  if (auto read = file.read_all(); !read) return in_context(name, std::move(read).error());
  return file;
}

Result<void> Llama2cFile::read_all() {
  TERN_TRY(config_, read_config(bytes_, bytes_.size()));
  std::uint64_t position = header_bytes(config_);  // the total was checked: nothing below runs past the end
  for (const Part& part : parts_of(config_)) {
    const auto n_bytes = static_cast<std::uint64_t>(part.shape.n_elements()) * kFloatBytes;
    for (std::int32_t layer = 0; layer < (part.per_layer ? config_.n_layers : 1); ++layer) {
      if (!part.name.empty()) {
        const std::string name = part.per_layer ? name_in_layer(part.name, layer) : std::string(part.name);
        places_.emplace(name, tensors_.size());
        tensors_.push_back(
            {name, part.shape, bytes_.subspan(static_cast<std::size_t>(position), static_cast<std::size_t>(n_bytes))});
      }
      position += n_bytes;
    }
  }
  TERN_CHECK(position == bytes_.size());
  return {};
}

const Llama2cTensor* Llama2cFile::find(std::string_view name) const {
  const auto place = places_.find(name);
  return place == places_.end() ? nullptr : &tensors_[place->second];
}

TensorView Llama2cFile::view(const Llama2cTensor& tensor) const {
  return {tensor.name, tensor.shape, &formats::kF32, tensor.bytes};
}

}  // namespace tern::files
