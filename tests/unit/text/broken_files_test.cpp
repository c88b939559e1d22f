// Every reader on its own small file cut off at every length and with every byte changed: an error or a vocabulary,
// never a crash, and what is accepted must tokenise. Megabytes of one thing must not take quadratic time (they would
// hang).
#include <gtest/gtest.h>

#include "tests/support/tokenizers.hpp"
#include "text/pre_tokenizer.hpp"

namespace tern::text {
namespace {

using test::as_bytes;

void use(const Result<Vocabulary>& vocabulary) {
  if (!vocabulary) {
    EXPECT_FALSE(vocabulary.error().message.empty());
    EXPECT_EQ(vocabulary.error().message.find('\n'), std::string::npos);
    EXPECT_NE(vocabulary.error().code, ErrorCode::internal);
    return;
  }
  const auto tokenizer = Tokenizer::make(*vocabulary);
  if (!tokenizer) return;
  const auto ids = tokenizer->encode("hello <s>\xFF ab", {.parse_special = true});
  if (ids) (void)tokenizer->decode(*ids, true);
}

template <typename Read>
void cut_everywhere(const std::string& file, Read read) {
  std::size_t n_refused = 0;
  for (std::size_t n = 0; n < file.size(); ++n) {
    const std::string cut = file.substr(0, n);
    const auto vocabulary = read(as_bytes(cut));
    n_refused += vocabulary ? 0 : 1;
    if (!vocabulary || n % 16 == 0) use(vocabulary);
  }
  EXPECT_GT(n_refused, file.size() / 2);  // a cut is mostly noticed
}

template <typename Read>
void change_every_byte(const std::string& file, Read read) {
  for (std::size_t at = 0; at < file.size(); ++at) {
    for (const int bits : {0x01, 0x80, 0xFF}) {
      std::string changed = file;
      changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ bits);
      const auto vocabulary = read(as_bytes(changed));
      if (at % 8 == 0 || !vocabulary) use(vocabulary);
    }
  }
}

// Files of a few hundred bytes, so that every length and every byte can be tried.
std::string small_llama2c() {
  return test::llama2c_file().substr(0, 400);
}

std::string small_sentencepiece() {
  std::string file;
  for (const std::string text : {"<unk>", "a", "b", "ab"}) {
    file += test::field(1, test::field(1, text) + test::field(2, 5) + test::raw(-1.0F));
  }
  return file + test::field(2, test::field(3, 0) + test::varint(2)) +
         test::field(3, test::field(3, 0) + test::varint(1));
}

std::string small_tiktoken() {
  return "YQ== 0\nYg== 1\nYWI= 2\nIA== 3\nIGE= 4\n";
}

std::string small_tokenizer_json() {
  return R"({"added_tokens":[{"id":4,"content":"<s>","special":true}],"pre_tokenizer":{"type":"ByteLevel"},)"
         R"("post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}},{"Sequence":{}}]},)"
         R"("model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"l":3},"merges":["a b"]}})";
}

TEST(BrokenTokenizerFiles, CutOffAnywhere) {
  const auto json = [](Bytes bytes) { return read_tokenizer_json(bytes); };
  cut_everywhere(small_tokenizer_json(), json);
  cut_everywhere(small_sentencepiece(), read_sentencepiece);
  cut_everywhere(small_llama2c(), read_llama2c_tokenizer);
  const std::string vocab = R"({"a":0,"b":1,"ab":2})";
  const std::string merges = "#version: 0.2\na b\n";
  cut_everywhere(vocab, [&](Bytes bytes) { return read_vocab_merges(bytes, as_bytes(merges)); });
  for (std::size_t n = 0; n < merges.size(); ++n) {
    use(read_vocab_merges(as_bytes(vocab), as_bytes(merges.substr(0, n))));
  }
  const std::string ranks = small_tiktoken();
  for (std::size_t n = 0; n < ranks.size(); ++n) use(read_tiktoken(as_bytes(ranks.substr(0, n))));
  const std::string config = R"({"bos_token":{"content":"<s>"},"chat_template":[{"name":"default","template":"x"}]})";
  for (std::size_t n = 0; n < config.size(); ++n) {
    Vocabulary vocabulary = test::bpe_vocabulary();
    EXPECT_FALSE(apply_tokenizer_config(vocabulary, as_bytes(config.substr(0, n))).has_value()) << n;
  }
}

TEST(BrokenTokenizerFiles, AnyByteChanged) {
  change_every_byte(small_tokenizer_json(), [](Bytes bytes) { return read_tokenizer_json(bytes); });
  change_every_byte(small_sentencepiece(), read_sentencepiece);
  change_every_byte(small_llama2c(), read_llama2c_tokenizer);
  change_every_byte(small_tiktoken(), [](Bytes bytes) { return read_tiktoken(bytes); });
}

TEST(BrokenTokenizerFiles, AnyPartOfATokenizerJsonOfAnotherType) {
  const auto root = test::spm_tokenizer_json();
  const auto flat = root.flatten();
  for (const auto& [path, unused] : flat.items()) {
    for (const nlohmann::json& odd : {nlohmann::json(nullptr), nlohmann::json(-3), nlohmann::json("x"),
                                      nlohmann::json::array({1}), nlohmann::json::object({{"a", 1}})}) {
      nlohmann::json changed = root;
      auto pointer = nlohmann::json::json_pointer(path);
      if (path.starts_with("/model/vocab/<0x") && path != "/model/vocab/<0x41>") continue;  // 256 of a kind
      while (!pointer.empty()) {
        changed[pointer] = odd;
        const std::string text = changed.dump();
        use(read_tokenizer_json(as_bytes(text)));
        pointer = pointer.parent_pointer();
        if (pointer.to_string() == "/model/vocab" || pointer.to_string() == "/model") break;
      }
    }
  }
}

constexpr std::size_t kMegabyte = std::size_t{1} << 20;

// A megabyte of one thing, of two things in turn, and of no UTF-8 at all.
std::vector<std::string> monotonous_texts() {
  std::vector<std::string> texts = {std::string(kMegabyte, 'a'),   std::string(kMegabyte, ' '),
                                    std::string(kMegabyte, '\n'),  std::string(kMegabyte, '!'),
                                    std::string(kMegabyte, '1'),   std::string(kMegabyte, '\xFF'),
                                    std::string(kMegabyte, '\xC3')};
  for (const std::string unit :
       {"ab", " \n", " \r", "\xC3\xA9", "\xC3\xA9\xFF", "\xE3\x80\x80", "'s", "a1", "<s>", "[["}) {
    std::string text;
    while (text.size() < kMegabyte) text += unit;
    texts.push_back(std::move(text));
  }
  texts.push_back(std::string(kMegabyte, ' ') + "x");
  return texts;
}

TEST(MonotonousText, ComesBackWholeFromByteLevelBpe) {
  for (const std::string_view pre : PreTokenizer::names()) {
    const Tokenizer tokenizer = test::make(test::bpe_vocabulary(std::string(pre)));
    for (const std::string& text : monotonous_texts()) {
      const auto ids = tokenizer.encode(text, {.parse_special = true});
      ASSERT_TRUE(ids.has_value()) << test::error_of(ids);
      EXPECT_TRUE(tokenizer.decode(*ids) == text) << pre << ": " << text.substr(0, 4);
    }
  }
}

TEST(MonotonousText, ComesBackWholeFromSentencePieceBpe) {
  const Tokenizer tokenizer = test::make(test::spm_vocabulary());
  for (const std::string& text : monotonous_texts()) {
    const auto ids = tokenizer.encode(text);
    ASSERT_TRUE(ids.has_value()) << test::error_of(ids);
    EXPECT_TRUE(tokenizer.decode(*ids) == text) << text.substr(0, 4);
  }
}

TEST(MonotonousText, ATokenAsLongAsTheRankFileTakesNoSquareOfIt) {
  // The merges of a long token are derived from the file itself.
  const std::string file = "YQ== 0\nYWE= 1\nYWFhYQ== 2\n" + test::base64(std::string(kMegabyte, 'a')) + " 3\n";
  const auto vocabulary = read_tiktoken(as_bytes(file));
  ASSERT_TRUE(vocabulary.has_value()) << test::error_of(vocabulary);
  EXPECT_EQ(vocabulary->merges.size(), 2U);
}

}  // namespace
}  // namespace tern::text
