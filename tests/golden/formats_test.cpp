// Every format, byte for byte and bit for bit, against vectors that other people's programs made
// (tests/golden/make/make_formats.py; its manifest says which program made which).
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "formats/all.hpp"
#include "formats/q8_k.hpp"
#include "formats/token_codes.hpp"
#include "tests/support/data.hpp"

namespace tern::formats {
namespace {

std::string golden(const std::string& name) {
  return test::source_file("tests/golden/data/formats/" + name);
}

std::vector<std::byte> read_bytes(const std::string& name) {
  std::ifstream file(golden(name), std::ios::binary);
  const std::vector<char> chars{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::vector<std::byte> bytes(chars.size());
  if (!chars.empty()) std::memcpy(bytes.data(), chars.data(), chars.size());
  return bytes;
}

std::vector<float> read_floats(const std::string& name) {
  const auto bytes = read_bytes(name);
  std::vector<float> floats(bytes.size() / sizeof(float));
  if (!bytes.empty()) std::memcpy(floats.data(), bytes.data(), floats.size() * sizeof(float));
  return floats;
}

std::string fnv1a64(const float* values, std::size_t n) {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  const auto* bytes = reinterpret_cast<const unsigned char*>(values);
  for (std::size_t i = 0; i < n * sizeof(float); ++i) hash = (hash ^ bytes[i]) * 0x100000001b3ull;
  return fmt::format("{:016x}", hash);
}

const nlohmann::json& manifest() {
  static const nlohmann::json parsed = [] {
    std::ifstream file(golden("formats.json"));
    return nlohmann::json::parse(file);
  }();
  return parsed;
}

/// "equal", or where two byte rows first differ.
std::string first_difference(const std::byte* ours, const std::byte* theirs, std::int64_t n, std::int64_t block_bytes) {
  for (std::int64_t i = 0; i < n; ++i) {
    if (ours[i] != theirs[i]) {
      return fmt::format("block {}, byte {}: ours {:02x}, theirs {:02x}", i / block_bytes, i % block_bytes,
                         std::to_integer<int>(ours[i]), std::to_integer<int>(theirs[i]));
    }
  }
  return "equal";
}

/// Checks `encode(values, n, out)` and `decode(blocks, n, values)` against <name>.bin; returns the number of rows
/// compared.
template <typename Encode, typename Decode>
std::int64_t compare_with_golden(const std::string& name, std::int64_t block_values, std::int64_t block_bytes,
                                 Encode encode, Decode decode) {
  const auto& entry = manifest()["formats"][name];
  const auto row_length = manifest()["row_length"].get<std::int64_t>();
  const auto n_rows = manifest()["n_rows"].get<std::int64_t>();
  const auto n_foreign = manifest()["n_foreign"].get<std::int64_t>();
  EXPECT_EQ(entry["block_values"].get<std::int64_t>(), block_values);
  EXPECT_EQ(entry["block_bytes"].get<std::int64_t>(), block_bytes);
  const auto inputs = read_floats("inputs.f32");
  const auto theirs = read_bytes(name + ".bin");
  const std::int64_t row_bytes = row_length / block_values * block_bytes;
  EXPECT_EQ(inputs.size(), static_cast<std::size_t>(n_rows * row_length));
  EXPECT_EQ(theirs.size(), static_cast<std::size_t>((n_rows + n_foreign) * row_bytes));
  if (testing::Test::HasFailure()) return 0;

  std::vector<std::byte> ours(static_cast<std::size_t>(row_bytes));
  std::vector<float> decoded(static_cast<std::size_t>(row_length));
  for (std::int64_t row = 0; row < n_rows + n_foreign; ++row) {
    const auto index = static_cast<std::size_t>(row);
    const auto row_name = row < n_rows ? manifest()["row_names"][index].get<std::string>() : "random codes";
    const std::byte* expected = theirs.data() + row * row_bytes;
    if (row < n_rows) {
      const EncodeIssue issue = encode(inputs.data() + row * row_length, row_length, ours.data());
      EXPECT_FALSE(issue) << name << ", " << row_name << ": refused at column " << issue.column;
      EXPECT_EQ(first_difference(ours.data(), expected, row_bytes, block_bytes), "equal") << name << ", " << row_name;
    }
    decode(expected, row_length, decoded.data());
    EXPECT_EQ(fnv1a64(decoded.data(), decoded.size()), entry["decoded_fnv1a64"][index].get<std::string>())
        << name << ", " << row_name << ": decoded bits differ";
  }
  return n_rows + n_foreign;
}

class GoldenFormat : public testing::TestWithParam<const Format*> {};

TEST_P(GoldenFormat, EncodesAndDecodesTheReferenceBits) {
  const Format& format = *GetParam();
  const std::string name(format.name);
  ASSERT_TRUE(manifest()["formats"].contains(name)) << name << " has no golden vectors";
  EXPECT_EQ(manifest()["formats"][name]["gguf_id"].get<std::uint32_t>(), format.gguf_id);
  if (format.tensor_scale != nullptr) {
    ASSERT_TRUE(manifest()["formats"][name].contains("tensors")) << name << " has no golden tensors";
    return;  // compared as whole tensors below
  }
  const auto theirs = read_bytes(name + ".bin");
  const auto row_length = manifest()["row_length"].get<std::int64_t>();
  const auto n_compared = compare_with_golden(
      name, format.block_values, format.block_bytes,
      [&](const float* values, std::int64_t n, std::byte* out) { return format.encode_row(values, n, 1.0F, out); },
      [&](const std::byte* blocks, std::int64_t n, float* values) { format.decode_row(blocks, n, 1.0F, values); });
  ASSERT_GT(n_compared, 60);
  for (std::int64_t row = 0; row < manifest()["n_rows"].get<std::int64_t>(); ++row) {
    EXPECT_TRUE(format.valid_row(theirs.data() + row * format.row_bytes(row_length), row_length)) << "row " << row;
  }
}

INSTANTIATE_TEST_SUITE_P(All, GoldenFormat, testing::ValuesIn(kAll),
                         [](const auto& instance) { return std::string(instance.param->name); });

TEST(GoldenI2S, WholeTensorsEqualTheNumpyWriting) {
  const auto inputs = read_floats("i2_s_inputs.f32");
  const auto bytes = read_bytes("I2_S.bin");
  std::size_t value_offset = 0;
  std::size_t byte_offset = 0;
  int n_tensors = 0;
  for (const auto& entry : manifest()["formats"]["I2_S"]["tensors"]) {
    const Shape shape = matrix_shape(entry["row_length"].get<std::int64_t>(), entry["n_rows"].get<std::int64_t>());
    const auto n_values = static_cast<std::size_t>(shape.n_elements());
    const std::size_t n_bytes = n_values / 4 + 32;
    ASSERT_EQ(tensor_bytes(kI2_S, shape).value(), n_bytes);
    ASSERT_LE(value_offset + n_values, inputs.size());
    ASSERT_LE(byte_offset + n_bytes, bytes.size());
    const std::span<const float> values(inputs.data() + value_offset, n_values);
    const std::span<const std::byte> theirs(bytes.data() + byte_offset, n_bytes);
    SCOPED_TRACE(entry.dump());

    std::vector<std::byte> ours(n_bytes);
    const auto encoded = encode_tensor(kI2_S, "t", shape, values, ours);
    ASSERT_TRUE(encoded.has_value()) << encoded.error().message;
    // Tern writes the tail of zeros; the repeated one is read only.
    const std::size_t n_compared = entry["tail"] == "zeros" ? n_bytes : n_bytes - 28;
    EXPECT_EQ(first_difference(ours.data(), theirs.data(), static_cast<std::int64_t>(n_compared), 32), "equal");

    const auto scale = read_tensor_scale(kI2_S, shape, theirs);
    ASSERT_TRUE(scale.has_value()) << scale.error().message;
    EXPECT_EQ(*scale, static_cast<float>(entry["scale"].get<double>()));
    EXPECT_TRUE(kI2_S.valid_row(theirs.data(), shape.n_elements()));
    std::vector<float> decoded(n_values);
    ASSERT_TRUE(decode_rows(kI2_S, shape, theirs, 0, shape.n_rows(), decoded).has_value());
    EXPECT_EQ(fnv1a64(decoded.data(), decoded.size()), entry["decoded"].get<std::string>());
    value_offset += n_values;
    byte_offset += n_bytes;
    ++n_tensors;
  }
  EXPECT_EQ(n_tensors, 8);
  EXPECT_EQ(value_offset, inputs.size());
  EXPECT_EQ(byte_offset, bytes.size());
}

TEST(GoldenActivations, Q8KEqualsTheReferenceLibrary) {
  const auto n_compared =
      compare_with_golden("Q8_K", BlockQ8_K::kValues, sizeof(BlockQ8_K), encode_row_q8_k, decode_row_q8_k);
  EXPECT_GT(n_compared, 60);
}

TEST(GoldenActivations, PerTokenInt8EqualsNumpyAndTorch) {
  const auto row_length = manifest()["row_length"].get<std::int64_t>();
  const auto n_rows = manifest()["n_rows"].get<std::int64_t>();
  const auto inputs = read_floats("inputs.f32");
  const auto theirs = read_bytes("int8_token.bin");
  ASSERT_EQ(theirs.size(), inputs.size());
  std::vector<std::int8_t> codes(static_cast<std::size_t>(row_length));
  for (std::int64_t row = 0; row < n_rows; ++row) {
    const auto index = static_cast<std::size_t>(row);
    SCOPED_TRACE(manifest()["row_names"][index].get<std::string>());
    const TokenCodes token = encode_int8_token(inputs.data() + row * row_length, row_length, codes.data());
    EXPECT_EQ(std::bit_cast<std::uint32_t>(token.s),
              manifest()["int8_token"]["scale_bits"][index].get<std::uint32_t>());
    EXPECT_EQ(token.sum, manifest()["int8_token"]["sums"][index].get<std::int32_t>());
    EXPECT_EQ(std::memcmp(codes.data(), theirs.data() + row * row_length, codes.size()), 0);
  }
}

}  // namespace
}  // namespace tern::formats
