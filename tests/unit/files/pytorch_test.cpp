// PyTorch checkpoints against files that torch wrote (tests/golden/make/make_pytorch.py).
#include "files/pytorch.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "files/checkpoint.hpp"
#include "files/kind.hpp"
#include "files/pickle.hpp"
#include "files/pytorch_tensors.hpp"
#include "files/zip.hpp"
#include "tests/unit/files/helpers.hpp"

namespace tern::files {
namespace {

using nlohmann::json;
using test::bytes_of;
using test::hex_of;
using test::message_of;
using test::slurp;
using test::slurp_json;

std::string golden(const std::string& file) {
  return tern::test::source_file("tests/golden/data/pytorch/" + file);
}

// The elements in row-major order, whatever the strides.
std::string hex_of_rows(const StoredTensor& tensor) {
  std::string out;
  std::vector<std::byte> buffer;
  for (std::int64_t row = 0; row < tensor.n_rows(); ++row) out += hex_of(row_bytes(tensor, row, buffer));
  return out;
}

void expect_same(const StoredTensor& tensor, const json& want) {
  SCOPED_TRACE(tensor.name);
  EXPECT_EQ(dtype_name(tensor.dtype), want["dtype"]);
  EXPECT_EQ(json(tensor.shape), want["shape"]);
  EXPECT_EQ(hex_of_rows(tensor), want["hex"]);
  if (tensor.n_elements() > 0) {
    EXPECT_EQ(tensor.is_contiguous(), want["contiguous"].get<bool>());
  }
  if (tensor.is_contiguous()) {
    EXPECT_EQ(hex_of(tensor.bytes), want["hex"]);
  }
  if (!want.contains("f32")) {
    EXPECT_FALSE(tensor.n_elements() > 0 && to_f32(tensor));
    return;
  }
  const auto values = to_f32(tensor);
  ASSERT_TRUE(values) << message_of(values);
  EXPECT_EQ(json(*values), want["f32"]);
  const auto k = static_cast<std::size_t>(tensor.row_length());
  for (std::int64_t first = 0; first + 2 <= tensor.n_rows(); ++first) {  // two rows at a time, from anywhere
    std::vector<float> two(2 * k);
    ASSERT_TRUE(rows_to_f32(tensor, first, 2, two));
    EXPECT_TRUE(std::equal(two.begin(), two.end(), values->begin() + first * static_cast<std::ptrdiff_t>(k)));
  }
}

TEST(Pytorch, ReadsEveryTensorThatTorchWrote) {
  const json expected = slurp_json(golden("expected.json"));
  std::size_t n_files = 0;
  for (const auto& [file, rows] : expected.items()) {
    if (file == "torch" || file == "sharded") continue;
    SCOPED_TRACE(file);
    ++n_files;
    const auto opened = PytorchFile::open(golden(file));
    ASSERT_TRUE(opened) << message_of(opened);
    EXPECT_EQ(opened->tensors().size(), rows.size());
    for (const json& want : rows) {
      const StoredTensor* tensor = opened->find(want["name"].get<std::string>());
      ASSERT_NE(tensor, nullptr) << want["name"];
      expect_same(*tensor, want);
      opened->release(tensor->bytes);
      expect_same(*tensor, want);  // released bytes come back from the file
    }
    EXPECT_EQ(opened->find("absent"), nullptr);
  }
  EXPECT_EQ(n_files, 12U);
}

TEST(Pytorch, SharedStoragesAreSharedAndViewsAreViews) {
  const auto file = PytorchFile::open(golden("views.pt"));
  ASSERT_TRUE(file) << message_of(file);
  EXPECT_EQ(file->find("tied_a")->bytes.data(), file->find("tied_b")->bytes.data());
  EXPECT_EQ(file->find("tied_rows")->bytes.data(), file->find("tied_a")->bytes.data() + 2 * 3 * 4);
  EXPECT_EQ(file->find("transposed")->strides, (std::vector<std::int64_t>{1, 6}));
  EXPECT_EQ(file->find("transposed")->bytes.data(), file->find("base")->bytes.data());
}

std::vector<std::string> as_vector(std::span<const std::string> lines) {
  return {lines.begin(), lines.end()};
}

TEST(Pytorch, WhatIsNoTensorIsNotedByName) {
  const auto mixed = PytorchFile::open(golden("mixed.pt"));
  ASSERT_TRUE(mixed) << message_of(mixed);
  EXPECT_EQ(as_vector(mixed->notes()),
            (std::vector<std::string>{"not read, as they are no tensors: the state dict's version, history"}));
  const auto training = PytorchFile::open(golden("training.pt"));
  ASSERT_TRUE(training) << message_of(training);
  EXPECT_EQ(as_vector(training->notes()),
            (std::vector<std::string>{"not read, as they are no tensors: the members epoch, loss, optimizer, args"}));
  EXPECT_TRUE(PytorchFile::open(golden("module.bin"))->notes().empty());
}

TEST(Pytorch, WhatTorchWritesAndTernDoesNotReadIsSaid) {
  const std::map<std::string, std::string> words{
      {"expanded.pt", "tensor a: [1000, 1000] repeats a storage of 1 elements; save it with .contiguous()"},
      {"complex.pt", "tensor a: its storage is a torch.ComplexFloatStorage"},
      {"sparse.pt", "wants to call torch._utils._rebuild_sparse_tensor"},
      {"whole_module.pt", "wants to call torch.nn.modules.linear.Linear; Tern reads tensors only: save the state_dict"},
      {"one_tensor.pt", "holds one tensor without a name"},
      {"list.pt", "does not hold a dict"},
      {"no_tensors.pt", "holds no tensors at its top or under state_dict"},
      {"legacy.pt", "is of PyTorch before 1.6; load it there and save it again"},
      {"script.pt", "linear.py: is compressed (method 8); torch.save stores as it is"}};
  for (const auto& [file, part] : words) {
    const auto refused = PytorchFile::open(golden(file));
    ASSERT_FALSE(refused) << file;
    EXPECT_TRUE(refused.error().message.starts_with(golden(file) + ": ")) << refused.error().message;
    EXPECT_NE(refused.error().message.find(part), std::string::npos) << refused.error().message;
    EXPECT_EQ(detect_kind(golden(file))->what, kPytorchType.what) << file;
  }
}

TEST(Pytorch, EveryPrefixOfAFileIsRefused) {
  const std::string whole = slurp(golden("protocol_2.pt"));
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const std::string prefix = whole.substr(0, n);
    const auto cut = PytorchFile::parse(bytes_of(prefix), "cut");
    ASSERT_FALSE(cut) << n;
    EXPECT_EQ(cut.error().code, ErrorCode::bad_input) << cut.error().message;
  }
}

TEST(Pytorch, EveryChangedByteIsReadOrRefusedInOneLine) {
  const std::string whole = slurp(golden("views.pt"));
  std::size_t n_refused = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 8)));
    const auto file = PytorchFile::parse(bytes_of(changed), "changed");
    if (!file) {
      ++n_refused;
      EXPECT_EQ(file.error().message.find('\n'), std::string::npos) << file.error().message;
      continue;
    }
    for (const StoredTensor& tensor : file->tensors()) EXPECT_EQ(hex_of_rows(tensor).size() % 2, 0U);
  }
  EXPECT_GT(n_refused, whole.size() / 4);
}

TEST(Pytorch, AFolderOfShardsIsOneCheckpoint) {
  const json expected = slurp_json(golden("expected.json"))["sharded"];
  for (const char* path : {"sharded", "sharded/pytorch_model-00002-of-00002.bin"}) {
    const auto checkpoint = Checkpoint::open(golden(path));
    ASSERT_TRUE(checkpoint) << message_of(checkpoint);
    EXPECT_EQ(checkpoint->n_files(), 2U);
    ASSERT_EQ(checkpoint->tensors().size(), expected.size());
    for (const json& want : expected) {
      const StoredTensor* tensor = checkpoint->find(want["name"].get<std::string>());
      ASSERT_NE(tensor, nullptr);
      expect_same(*tensor, want);
      checkpoint->release(*tensor);
      expect_same(*tensor, want);
    }
  }
  EXPECT_EQ(detect_kind(golden("sharded"))->what, "a folder with pytorch_model.bin.index.json");
}

TEST(Pytorch, SafetensorsAreTakenWhereAFolderHasBoth) {
  const auto both = Checkpoint::open(golden("llama"));
  ASSERT_TRUE(both) << message_of(both);
  EXPECT_EQ(both->find("model.layers.0.self_attn.rotary_emb.inv_freq"), nullptr) << "only the .bin has it";
  EXPECT_EQ(detect_kind(golden("llama"))->what, "a folder with model.safetensors");
  const auto torch = Checkpoint::open(golden("llama/pytorch_model.bin"));
  ASSERT_TRUE(torch) << message_of(torch);
  EXPECT_EQ(torch->tensors().size(), both->tensors().size() + 1);
  EXPECT_EQ(torch->notes().size(), 1U);
  for (const StoredTensor* tensor : both->tensors()) {
    EXPECT_EQ(*to_f32(*torch->find(tensor->name)), *to_f32(*tensor)) << tensor->name;
  }
}

TEST(Pytorch, AShardAloneSaysWhatIsMissing) {
  const tern::test::TemporaryFolder folder;
  const auto copy = [&](const std::string& from, const std::string& to) {
    std::filesystem::copy_file(golden("sharded/" + from), folder.file(to));
  };
  copy("pytorch_model-00001-of-00002.bin", "pytorch_model-00001-of-00002.bin");
  const auto alone = Checkpoint::open(folder.file("pytorch_model-00001-of-00002.bin"));
  ASSERT_FALSE(alone);
  EXPECT_EQ(alone.error().code, ErrorCode::not_found);
  EXPECT_NE(alone.error().message.find("no index beside it (pytorch_model.bin.index.json)"), std::string::npos)
      << alone.error().message;
  copy("pytorch_model.bin.index.json", "pytorch_model.bin.index.json");
  EXPECT_NE(message_of(Checkpoint::open(folder.path())).find("pytorch_model-00002-of-00002.bin: no such file"),
            std::string::npos);
  copy("pytorch_model-00002-of-00002.bin", "pytorch_model-00002-of-00002.bin");
  EXPECT_EQ(message_of(Checkpoint::open(folder.file("pytorch_model-00001-of-00002.bin"))), "");
  std::ofstream(folder.file("pytorch_model.bin.index.json")) << R"({"weight_map":{"a.weight":"../outside.bin"}})";
  EXPECT_NE(message_of(Checkpoint::open(folder.path())).find("expected the name of a file in the same folder"),
            std::string::npos);
}

bool everything(std::string_view /*module*/, std::string_view /*name*/) {
  return true;
}

TEST(Pickle, ReadsPlainValuesOfEveryKind) {
  using namespace std::string_literals;
  // {"n": -3, "long": 2**40, "x": 1.5, "t": (True, None), "l": ["a", b"b"], "o": OrderedDict()}
  const std::string text =
      "\x80\x04}(X\x01\0\0\0nJ\xfd\xff\xff\xffX\x04\0\0\0long\x8a\x06\0\0\0\0\0\x01X\x01\0\0\0xG\x3f\xf8\0\0\0\0\0\0"s +
      "X\x01\0\0\0t\x88N\x86X\x01\0\0\0l](\x8c\x01"s + "aC\x01"s + "beX\x01\0\0\0occollections\nOrderedDict\n)Ru."s;
  const auto pickle = Pickle::parse(bytes_of(text), &everything);
  ASSERT_TRUE(pickle) << message_of(pickle);
  const auto* dict = pickle->get<PickleDict>(pickle->root());
  ASSERT_NE(dict, nullptr);
  const auto items = pickle->items(*dict);
  ASSERT_EQ(items.size(), 6U);
  EXPECT_EQ(*pickle->get<std::string_view>(items[0].first), "n");
  EXPECT_EQ(*pickle->get<std::int64_t>(items[0].second), -3);
  EXPECT_EQ(*pickle->get<std::int64_t>(items[1].second), std::int64_t{1} << 40);
  EXPECT_EQ(*pickle->get<double>(items[2].second), 1.5);
  const auto tuple = pickle->items(*pickle->get<PickleTuple>(items[3].second));
  ASSERT_EQ(tuple.size(), 2U);
  EXPECT_TRUE(*pickle->get<bool>(tuple[0]));
  EXPECT_NE(pickle->get<PickleNone>(tuple[1]), nullptr);
  const auto list = pickle->items(*pickle->get<PickleList>(items[4].second));
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(*pickle->get<std::string_view>(list[0]), "a");
  EXPECT_EQ(pickle->get<PickleBytes>(list[1])->bytes, "b");
  EXPECT_TRUE(pickle->items(*pickle->get<PickleDict>(items[5].second)).empty());
}

TEST(Pickle, IntegersOfEveryLengthKeepTheirSign) {
  const std::vector<std::pair<std::string, std::int64_t>> cases{
      {"\x8a\x01\xff", -1}, {"\x8a\x02\xff\x7f", 32767}, {"\x8a\x03\x01\x02\x80", -8388095},
      {"K\xff", 255},       {"M\xff\xff", 65535},        {"J\xff\xff\xff\x7f", 2147483647}};
  for (const auto& [opcode, want] : cases) {
    const std::string text = "\x80\x02" + opcode + ".";
    const auto pickle = Pickle::parse(bytes_of(text), &everything);
    ASSERT_TRUE(pickle) << message_of(pickle);
    EXPECT_EQ(*pickle->get<std::int64_t>(pickle->root()), want);
  }
}

TEST(Pickle, RefusesMoreValuesThanAnyCheckpointHas) {
  const std::string text = "\x80\x02(" + std::string(Pickle::kMaxValues + 1, 'N') + "t.";
  EXPECT_NE(message_of(Pickle::parse(bytes_of(text), &everything)).find("more than 524288 values"), std::string::npos);
  std::string items = "\x80\x02]q";
  items += '\0';
  for (int i = 0; i < 9; ++i) items += "(" + std::string(250'000, 'N') + "e";
  EXPECT_NE(message_of(Pickle::parse(bytes_of(items), &everything)).find("more than 524288 values"), std::string::npos);
  std::string shared = "\x80\x02]q";
  shared += '\0';
  for (std::size_t i = 0; i <= Pickle::kMaxItems; ++i) shared += std::string("h\0a", 3);
  EXPECT_NE(message_of(Pickle::parse(bytes_of(shared), &everything)).find("more than 2097152 items"),
            std::string::npos);
}

TEST(Zip, FindsTheEndBehindACommentAndNotInIt) {
  std::string archive = slurp(golden("protocol_2.pt"));
  const auto plain = ZipDirectory::parse(bytes_of(archive));
  ASSERT_TRUE(plain) << message_of(plain);
  EXPECT_NE(plain->find("protocol_2/data.pkl"), nullptr);
  EXPECT_EQ(plain->find("protocol_2/data"), nullptr);
  const std::string comment = "a comment with PK\x05\x06 in it";
  archive[archive.size() - 2] = static_cast<char>(comment.size());
  archive += comment;
  const auto with_comment = ZipDirectory::parse(bytes_of(archive));
  ASSERT_TRUE(with_comment) << message_of(with_comment);
  EXPECT_EQ(with_comment->entries().size(), plain->entries().size());
  archive += "x";
  EXPECT_FALSE(ZipDirectory::parse(bytes_of(archive)));
}

}  // namespace
}  // namespace tern::files
