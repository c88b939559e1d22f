#include "train/data/data_manifest.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/checked.hpp"
#include "base/utf8.hpp"
#include "base/words.hpp"
#include "files/json.hpp"
#include "train/data/content_hash.hpp"

namespace tern::train {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxManifestBytes = std::size_t{1} << 26;
constexpr std::uint64_t kMaxTokens = std::uint64_t{1} << 58;  // of a part: its bytes and offsets stay far from 2^63
constexpr std::size_t kMaxSources = 4096;

// An object whose keys are all known: the reader asks for each, and finish() finds what nobody asked for.
class Fields {
 public:
  static Result<Fields> of(const json& value, std::string path) {
    if (value.is_object()) return Fields(value, std::move(path));
    return fail(ErrorCode::bad_input, "{} is {}, expected an object", path, value.type_name());
  }

  Result<const json*> get(std::string_view key) {
    asked_.push_back(key);
    const auto found = object_->find(key);
    if (found != object_->end()) return &*found;
    return fail(ErrorCode::bad_input, "{} is missing", name(key));
  }
  Result<std::uint64_t> number(std::string_view key, std::uint64_t most) {
    TERN_TRY(const json* value, get(key));
    if (value->is_number_unsigned() && value->get<std::uint64_t>() <= most) return value->get<std::uint64_t>();
    return wrong(key, *value, fmt::format("a whole number from 0 to {}", most));
  }
  Result<std::optional<std::int32_t>> id(std::string_view key, std::uint64_t n_vocab) {
    TERN_TRY(const json* value, get(key));
    if (value->is_null()) return std::optional<std::int32_t>{};
    if (value->is_number_unsigned() && value->get<std::uint64_t>() < n_vocab) {
      return std::optional(value->get<std::int32_t>());
    }
    return wrong(key, *value, fmt::format("null or a token id below {}", n_vocab));
  }
  Result<std::string> text(std::string_view key) {
    TERN_TRY(const json* value, get(key));
    if (value->is_string()) return value->get<std::string>();
    return wrong(key, *value, "a text");
  }
  Result<std::string> file(std::string_view key) {
    TERN_TRY(const json* value, get(key));
    if (value->is_string()) {
      auto text = value->get<std::string>();
      const bool is_plain = !text.empty() && text.size() <= 255 && text != "." && text != ".." &&
                            text.find('/') == std::string::npos && text.find('\0') == std::string::npos;
      if (is_plain) return text;
    }
    return wrong(key, *value, "the plain name of a file in the same folder");
  }
  // 16 hexadecimal digits: a number of 64 bits is no number to every reader of JSON.
  Result<std::uint64_t> hash(std::string_view key) {
    TERN_TRY(const json* value, get(key));
    if (value->is_string()) {
      const auto& digits = value->get_ref<const std::string&>();
      std::uint64_t out = 0;
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out, 16);
      if (digits.size() == 16 && error == std::errc{} && end == digits.data() + digits.size()) return out;
    }
    return wrong(key, *value, "16 hexadecimal digits");
  }
  Result<const json*> list(std::string_view key) {
    TERN_TRY(const json* value, get(key));
    if (value->is_array()) return value;
    return wrong(key, *value, "a list");
  }

  Result<void> finish() const {
    for (const auto& [key, value] : object_->items()) {
      if (std::ranges::find(asked_, key) != asked_.end()) continue;
      return fail(ErrorCode::bad_input, "{} is not known{}; the data set was made by a newer program, or by hand",
                  name(printable(key)), did_you_mean(key, asked_));
    }
    return {};
  }

  [[nodiscard]] std::string name(std::string_view key) const {
    return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
  }

 private:
  Fields(const json& object, std::string path) : object_(&object), path_(std::move(path)) {}

  std::unexpected<Error> wrong(std::string_view key, const json& value, std::string_view expected) const {
    const bool is_long = value.is_structured();
    return fail(ErrorCode::bad_input, "{} is {}, expected {}", name(key),
                is_long ? value.type_name() : printable(value.dump(-1, ' ', false, json::error_handler_t::replace)),
                expected);
  }

  const json* object_;
  std::string path_;
  std::vector<std::string_view> asked_;
};

Result<ShardEntry> read_shard(const json& value, const std::string& path) {
  TERN_TRY(Fields fields, Fields::of(value, path));
  ShardEntry shard;
  TERN_TRY(shard.file, fields.file("file"));
  TERN_TRY(shard.n_tokens, fields.number("n_tokens", kMaxTokens));
  TERN_TRY(shard.hash, fields.hash("hash"));
  if (shard.n_tokens == 0) return fail(ErrorCode::bad_input, "{} holds no tokens, expected 1 or more", path);
  TERN_TRY_DO(fields.finish());
  return shard;
}

Result<std::optional<PartEntry>> read_part(const json& value, const std::string& path) {
  if (value.is_null()) return std::optional<PartEntry>{};
  TERN_TRY(Fields fields, Fields::of(value, path));
  PartEntry part;
  TERN_TRY(part.n_tokens, fields.number("n_tokens", kMaxTokens));
  TERN_TRY(part.n_documents, fields.number("n_documents", kMaxTokens));
  TERN_TRY(part.n_text_bytes, fields.number("n_text_bytes", std::uint64_t{1} << 62));
  TERN_TRY(part.documents_file, fields.file("documents"));
  TERN_TRY(part.documents_hash, fields.hash("documents_hash"));
  TERN_TRY(const json* shards, fields.list("shards"));
  TERN_TRY_DO(fields.finish());
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < shards->size(); ++i) {
    TERN_TRY(ShardEntry shard, read_shard((*shards)[i], fmt::format("{}.shards[{}]", path, i)));
    const auto next = checked_add(sum, shard.n_tokens);
    if (!next || *next > kMaxTokens) {
      return fail(ErrorCode::bad_input, "{}.shards hold more than 2^58 tokens together", path);
    }
    sum = *next;
    part.shards.push_back(std::move(shard));
  }
  if (sum != part.n_tokens) {
    return fail(ErrorCode::bad_input, "{}.n_tokens is {}, but its shards hold {}", path, part.n_tokens, sum);
  }
  if (part.n_documents == 0 || part.n_documents > part.n_tokens) {
    return fail(ErrorCode::bad_input, "{}.n_documents is {}, expected from 1 to its {} tokens", path, part.n_documents,
                part.n_tokens);
  }
  return std::optional(std::move(part));
}

Result<SourceEntry> read_source(const json& value, const std::string& path) {
  TERN_TRY(Fields fields, Fields::of(value, path));
  SourceEntry source;
  TERN_TRY(source.name, fields.text("name"));
  if (!is_source_name(source.name)) {
    return fail(ErrorCode::bad_input,
                "{}.name is \"{}\", expected 1 to 100 letters without control characters, '=', ',' and '/'", path,
                printable(source.name));
  }
  TERN_TRY(const json* train, fields.get("train"));
  TERN_TRY(source.train, read_part(*train, fields.name("train")));
  TERN_TRY(const json* held_out, fields.get("held_out"));
  TERN_TRY(source.held_out, read_part(*held_out, fields.name("held_out")));
  TERN_TRY_DO(fields.finish());
  if (!source.train && !source.held_out) {
    return fail(ErrorCode::bad_input, "{} (\"{}\") has neither a train nor a held_out part", path, source.name);
  }
  return source;
}

Result<DataManifest> read_root(const json& root) {
  if (!root.is_object() || !root.contains("format")) {
    return fail(ErrorCode::bad_input, "not the manifest of a data set: it has no \"format\"");
  }
  TERN_TRY(Fields fields, Fields::of(root, ""));
  TERN_TRY(const std::string format, fields.text("format"));
  if (format != kManifestFormat) {
    return fail(ErrorCode::bad_input, "format is \"{}\", expected \"{}\"", printable(format), kManifestFormat);
  }
  TERN_TRY(const std::uint64_t version, fields.number("version", 1'000'000));
  if (version != kManifestVersion) {
    return fail(ErrorCode::unsupported, "version is {}, this program reads version {}: pack the texts again", version,
                kManifestVersion);
  }
  DataManifest manifest;
  TERN_TRY(manifest.n_vocab, fields.number("n_vocab", 0x7FFFFFFF));
  if (manifest.n_vocab == 0) return fail(ErrorCode::bad_input, "n_vocab is 0, expected 1 or more");
  TERN_TRY(manifest.token_bits, fields.number("token_bits", 32));
  if (manifest.token_bits != token_bits_of(manifest.n_vocab)) {
    return fail(ErrorCode::bad_input, "token_bits is {}, expected {} for a vocabulary of {}", manifest.token_bits,
                token_bits_of(manifest.n_vocab), manifest.n_vocab);
  }
  TERN_TRY(manifest.bos, fields.id("bos", manifest.n_vocab));
  TERN_TRY(manifest.eos, fields.id("eos", manifest.n_vocab));
  TERN_TRY(manifest.tokenizer_file, fields.file("tokenizer"));
  TERN_TRY(manifest.tokenizer_hash, fields.hash("tokenizer_hash"));
  TERN_TRY(manifest.token_bytes_file, fields.file("token_bytes"));
  TERN_TRY(manifest.token_bytes_hash, fields.hash("token_bytes_hash"));
  TERN_TRY(const json* sources, fields.list("sources"));
  TERN_TRY_DO(fields.finish());
  if (sources->empty() || sources->size() > kMaxSources) {
    return fail(ErrorCode::bad_input, "sources has {} entries, expected from 1 to {}", sources->size(), kMaxSources);
  }
  for (std::size_t i = 0; i < sources->size(); ++i) {
    TERN_TRY(SourceEntry source, read_source((*sources)[i], fmt::format("sources[{}]", i)));
    if (std::ranges::find(manifest.sources, source.name, &SourceEntry::name) != manifest.sources.end()) {
      return fail(ErrorCode::bad_input, "sources[{}].name is \"{}\", which an earlier source has", i,
                  printable(source.name));
    }
    manifest.sources.push_back(std::move(source));
  }
  return manifest;
}

std::string hex(std::uint64_t hash) {
  return fmt::format("{:016x}", hash);
}

nlohmann::ordered_json as_json(const std::optional<PartEntry>& part) {
  if (!part) return nullptr;
  auto shards = nlohmann::ordered_json::array();
  for (const ShardEntry& shard : part->shards) {
    shards.push_back({{"file", shard.file}, {"n_tokens", shard.n_tokens}, {"hash", hex(shard.hash)}});
  }
  return {{"n_tokens", part->n_tokens},
          {"n_documents", part->n_documents},
          {"n_text_bytes", part->n_text_bytes},
          {"documents", part->documents_file},
          {"documents_hash", hex(part->documents_hash)},
          {"shards", shards}};
}

nlohmann::ordered_json as_json(std::optional<std::int32_t> id) {
  return id ? nlohmann::ordered_json(*id) : nlohmann::ordered_json(nullptr);
}

void add(ContentHash& hash, const std::optional<PartEntry>& part) {
  hash.add(part ? part->n_tokens : ~std::uint64_t{0});
  if (!part) return;
  hash.add(part->documents_hash);
  for (const ShardEntry& shard : part->shards) {
    hash.add(shard.n_tokens);
    hash.add(shard.hash);
  }
}

}  // namespace

bool is_source_name(std::string_view name) {
  if (name.empty() || name.size() > 100 || utf8_valid_prefix(name) != name.size()) return false;
  return std::ranges::all_of(name, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte != 0x7f && c != '=' && c != ',' && c != '/';
  });
}

std::uint64_t DataManifest::fingerprint() const {
  ContentHash hash;
  hash.add(n_vocab);
  for (const auto id : {bos, eos}) hash.add(id ? static_cast<std::uint64_t>(*id) : ~std::uint64_t{0});
  hash.add(tokenizer_hash);
  hash.add(token_bytes_hash);
  for (const SourceEntry& source : sources) {
    hash.add(source.name.size());
    hash.add(source.name);
    add(hash, source.train);
    add(hash, source.held_out);
  }
  return hash.value();
}

Result<DataManifest> read_manifest(std::span<const std::byte> bytes, std::string_view where) {
  TERN_TRY(const json root, files::parse_json(bytes, where, {.max_bytes = kMaxManifestBytes, .max_depth = 8}));
  auto manifest = read_root(root);
  if (!manifest) return in_context(where, std::move(manifest).error());
  return manifest;
}

std::string manifest_text(const DataManifest& manifest) {
  auto sources = nlohmann::ordered_json::array();
  for (const SourceEntry& source : manifest.sources) {
    sources.push_back(
        {{"name", source.name}, {"train", as_json(source.train)}, {"held_out", as_json(source.held_out)}});
  }
  const nlohmann::ordered_json root{{"format", kManifestFormat},
                                    {"version", kManifestVersion},
                                    {"n_vocab", manifest.n_vocab},
                                    {"token_bits", manifest.token_bits},
                                    {"bos", as_json(manifest.bos)},
                                    {"eos", as_json(manifest.eos)},
                                    {"tokenizer", manifest.tokenizer_file},
                                    {"tokenizer_hash", hex(manifest.tokenizer_hash)},
                                    {"token_bytes", manifest.token_bytes_file},
                                    {"token_bytes_hash", hex(manifest.token_bytes_hash)},
                                    {"sources", sources}};
  return root.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace tern::train
