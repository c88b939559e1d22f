// Quantised files hold what llama_model_quantize writes: the type of each tensor, the bytes of all, the number of the
// file type. Its answers were made by tests/golden/make/make_mixtures.py; the models that they are about are made anew
// here, most of them from numbers alone.
#include <gtest/gtest.h>

#include <numeric>

#include "convert/quantize.hpp"
#include "files/gguf_set_writer.hpp"
#include "tests/support/models.hpp"
#include "tests/support/sha256.hpp"

namespace tern::test {
namespace {

using Json = nlohmann::json;

const Json& golden() {
  static const Json json = read_json(source_file("tests/golden/data/mixtures.json"));
  return json;
}

// The script's values(): a hash of tensor and place, between -1/2 and 1/2 in steps of 2^-24.
std::vector<float> synthetic_values(std::uint32_t tensor, std::int64_t n) {
  std::vector<float> out;
  for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(n); ++i) {
    std::uint32_t x = i * 0x9E3779B1U + (tensor + 1) * 0x85EBCA77U;
    x ^= x >> 15;
    x *= 0x2C1B3C6DU;
    x ^= x >> 12;
    out.push_back(static_cast<float>(static_cast<std::int32_t>(x >> 8) - (1 << 23)) / static_cast<float>(1 << 24));
  }
  return out;
}

Shape shape_of(std::vector<std::int64_t> extents) {
  return must(Shape::make(extents));
}

std::vector<std::pair<std::string, Shape>> synthetic_tensors(const Json& model) {
  const auto number = [&](const char* key) { return model.at(key).get<std::int64_t>(); };
  const std::int64_t width = number("width");
  const std::int64_t experts = number("experts");
  std::vector<std::pair<std::string, Shape>> out{{"token_embd.weight", shape_of({width, number("vocab")})}};
  for (std::int64_t layer = 0; layer < number("layers"); ++layer) {
    for (const std::string role : {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"}) {
      if (experts > 0 && role.starts_with("ffn")) {
        out.emplace_back(fmt::format("blk.{}.{}_exps.weight", layer, role), shape_of({width, number("rows"), experts}));
      } else {
        out.emplace_back(fmt::format("blk.{}.{}.weight", layer, role), shape_of({width, number("rows")}));
      }
    }
    if (experts > 0) out.emplace_back(fmt::format("blk.{}.ffn_gate_inp.weight", layer), shape_of({width, experts}));
    out.emplace_back(fmt::format("blk.{}.attn_norm.weight", layer), shape_of({width}));
  }
  out.emplace_back("output_norm.weight", shape_of({width}));
  if (!model.at("tied").get<bool>()) out.emplace_back("output.weight", shape_of({width, number("vocab")}));
  return out;
}

// The keys that say something about types; the script writes some more for the library's loader. In parts the last
// tensor comes first. Returns the path of the first file.
std::string write_synthetic(const Json& model, const std::string& prefix, std::size_t n_parts = 1) {
  const auto architecture = model.at("architecture").get<std::string>();
  files::GgufLayout layout;
  layout.metadata.set("general.architecture", architecture);
  const auto set = [&](std::string_view key, const Json& value) {
    layout.metadata.set(fmt::format("{}.{}", architecture, key), value.get<std::uint32_t>());
  };
  set("block_count", model.at("layers"));
  set("attention.head_count", 8);
  set("attention.head_count_kv", model.at("kv_heads"));
  set("expert_count", model.at("experts"));
  const auto tensors = synthetic_tensors(model);
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (n_parts > 1) std::ranges::reverse(order);
  for (const std::size_t t : order) must(layout.add_tensor(tensors[t].first, tensors[t].second, formats::kF32));
  std::vector<files::PlannedPart> parts{{prefix + ".gguf", layout}};
  if (n_parts > 1) {
    const std::size_t each = (tensors.size() + n_parts - 1) / n_parts;
    std::vector<std::size_t> counts(n_parts, each);
    counts.back() = tensors.size() - each * (n_parts - 1);
    parts = must(files::split_layout(layout, counts, prefix));
  }
  const std::string first = parts.front().path;
  auto writer = must(files::GgufSetWriter::create(std::move(parts), true));
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto values = synthetic_values(static_cast<std::uint32_t>(order[i]), tensors[order[i]].second.n_elements());
    must(writer.begin_tensor(i));
    must(writer.write(std::as_bytes(std::span(values))));
    must(writer.end_tensor());
  }
  must(writer.commit());
  return first;
}

struct Written {
  std::map<std::pair<int, std::string>, std::string> types;  // {layer, name}: format
  std::string hash;                                          // as the script makes it
  std::uint64_t file_type = 0;
  std::uint64_t version = 0;
};

std::pair<int, std::string> place_of(const std::string& name) {
  return {name.starts_with("blk.") ? std::stoi(name.substr(4)) : -1, name};
}

Written read_written(const std::string& path) {
  const auto file = must(files::GgufFile::open(path));
  Written out;
  std::map<std::pair<int, std::string>, const files::GgufTensor*> sorted;
  for (const auto& tensor : file.tensors()) sorted[place_of(tensor.name)] = &tensor;
  std::vector<std::byte> all;
  for (const auto& [place, tensor] : sorted) {
    out.types[place] = tensor->format->name;
    const auto bytes = file.bytes(*tensor);
    all.insert(all.end(), bytes.begin(), bytes.end());
  }
  out.hash = sha256_hex(all).substr(0, 16);
  out.file_type = file.metadata().get_u64("general.file_type").value_or(999);
  out.version = must(file.metadata().get_u64("general.quantization_version"));
  return out;
}

// What the script's [hash, {role: letters}] says of a tensor.
std::string expected_type(const Json& result, const std::string& own, const std::pair<int, std::string>& place) {
  const auto& [layer, name] = place;
  const std::string role = layer < 0 ? name : name.substr(name.find('.', 4) + 1);
  if (!result[1].contains(role)) return role.ends_with("norm.weight") || role.ends_with(".bias") ? "F32" : own;
  const auto letters = result[1][role].get<std::string>();
  const char letter = letters[letters.size() == 1 ? 0 : static_cast<std::size_t>(layer)];
  return golden()["letters"].at(std::string(1, letter)).get<std::string>();
}

class MixturesGolden : public testing::Test {
 protected:
  convert::QuantizeOptions options(const std::string& input, const std::string& mixture) const {
    convert::QuantizeOptions o;
    o.input = input;
    o.output = folder_.file("out.gguf");
    o.wishes.mixture = must(convert::mixture_by_name(mixture));
    o.write.overwrite = true;
    return o;
  }

  void compare(const convert::QuantizeOptions& o, const Json& expected, const std::string& what) {
    SCOPED_TRACE(what);
    Progress quiet;
    const auto plan = must(convert::QuantizePlan::make(o, quiet));
    const convert::Mixture& mixture = *o.wishes.mixture;
    if (expected == "refused" && mixture.needs_importance) {
      EXPECT_FALSE(plan.ready());
      EXPECT_FALSE(plan.run(o, quiet));
      ++n_compared_;
      return;
    }
    must(plan.run(o, quiet));
    const Written written = read_written(plan.outputs().back());  // any part opens the model
    EXPECT_EQ(written.version, 2U);
    if (!mixture.copies) {
      EXPECT_EQ(written.file_type, static_cast<std::uint64_t>(mixture.file_type()));
    }
    ++n_compared_;
    if (expected == "refused") {
      // The library has nothing that Q1_0 falls back to; Tern has the usual way.
      EXPECT_EQ(mixture.name, "Q1_0");
      for (const auto& [place, type] : written.types) EXPECT_NE(type, "Q1_0") << place.second;
      return;
    }
    const std::string own = mixture.copies ? "F32" : std::string(mixture.format->name);
    for (const auto& [place, type] : written.types) {
      EXPECT_EQ(type, expected_type(expected, own, place)) << place.second;
    }
    EXPECT_EQ(written.hash, expected[0].get<std::string>()) << "the bytes of the tensors";
  }

  TemporaryFolder folder_;
  int n_compared_ = 0;
};

TEST_F(MixturesGolden, NumbersAndFormatsAreLlamaQuantizes) {
  for (const auto& [name, entry] : golden()["mixtures"].items()) {
    const convert::Mixture& mixture = *must(convert::mixture_by_name(name));
    EXPECT_EQ(mixture.file_type(), entry["file_type"].get<int>()) << name;
    EXPECT_EQ(mixture.format->name, entry["type"].get<std::string>()) << name;
    EXPECT_EQ(must(convert::mixture_by_name(std::to_string(entry["file_type"].get<int>()))), &mixture) << name;
  }
  // And none of Tern's is unknown to the library but those of its own.
  for (const convert::Mixture& mixture : convert::mixtures()) {
    EXPECT_EQ(golden()["mixtures"].contains(mixture.name), mixture.name != "I2_S" && mixture.name != "COPY")
        << mixture.name;
  }
}

TEST_F(MixturesGolden, EveryMixtureOfSyntheticModelsIsTheLibrarys) {
  for (const auto& [name, entry] : golden()["synthetic"].items()) {
    const std::string input = write_synthetic(entry["model"], folder_.file("in"));
    for (const auto& [mixture, expected] : entry["mixtures"].items()) {
      compare(options(input, mixture), expected, name + ", " + mixture);
    }
  }
  EXPECT_GT(n_compared_, 600);
}

TEST_F(MixturesGolden, OptionsDoWhatTheyDoInTheLibrary) {
  for (const auto& [name, entry] : golden()["options"].items()) {
    const Json& given = entry["options"];
    const std::string input = write_synthetic(golden()["synthetic"][entry["model"].get<std::string>()]["model"],
                                              folder_.file("in"), given.value("parts", std::size_t{1}));
    auto o = options(input, entry["mixture"].get<std::string>());
    o.keep_split = given.value("keep_split", false);
    const auto format = [&](const char* key) {
      return given.contains(key) ? must(formats::by_name(given[key].get<std::string>())) : nullptr;
    };
    o.wishes.output = format("output");
    o.wishes.token_embedding = format("embedding");
    o.wishes.pure = given.value("pure", false);
    o.wishes.leave_output = given.value("leave_output", false);
    const Json types = given.value("tensor_types", Json::array());
    for (const Json& pair : types) {
      o.wishes.tensor_types.push_back(
          must(convert::parse_tensor_type(pair[0].get<std::string>() + "=" + pair[1].get<std::string>())));
    }
    const Json overrides = given.value("override", Json::object());
    for (const auto& [key, value] : overrides.items()) {
      o.overrides.push_back(must(convert::parse_metadata_override(fmt::format("{}=int:{}", key, value.get<int>()))));
    }
    compare(o, entry["result"], name);
  }
  EXPECT_GT(n_compared_, 20);
}

struct Source {
  std::string name;
  std::string path;
  std::string tokenizer = {};
};

class MixturesOfFiles : public MixturesGolden, public testing::WithParamInterface<Source> {};

TEST_P(MixturesOfFiles, AreTheLibrarys) {
  TERN_NEEDS_DATA();
  const Source& source = GetParam();
  const std::string data = data_folder() + "/";
  const std::string input =
      converted(folder_, data + source.path, "floats", "f32", source.tokenizer.empty() ? "" : data + source.tokenizer);
  for (const auto& [mixture, expected] : golden()["files"].at(source.name).items()) {
    compare(options(input, mixture), expected, mixture);
  }
  // All that Tern has but COPY and I2_S, which the library does not have.
  EXPECT_EQ(n_compared_, std::ssize(convert::mixtures()) - 2);
}

INSTANTIATE_TEST_SUITE_P(Files, MixturesOfFiles,
                         testing::Values(Source{"llama", "golden/llama"},
                                         Source{"llama_rope_scaled", "golden/llama-rope-scaled-sharded"},
                                         Source{"qwen2", "golden/qwen2"}, Source{"qwen3", "golden/qwen3"},
                                         Source{"reference_float", "models/reference-float"},
                                         Source{"stories260K", "models/llama2c-stories260K/stories260K.bin",
                                                "models/llama2c-stories260K/tok512.bin"}),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace tern::test
