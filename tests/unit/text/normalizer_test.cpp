// Normalisers step by step: what each does to a text, what is kept, what is refused, and that hostile ones end.
#include "text/normalizer.hpp"

#include <gtest/gtest.h>

#include "tests/support/tokenizers.hpp"
#include "text/charsmap.hpp"
#include "text/unicode.hpp"

namespace tern::text {
namespace {

using nlohmann::json;
using test::error_of;

Result<Normalizer> make(const json& section) {
  Vocabulary vocabulary;
  vocabulary.normalizer = section.dump();
  return Normalizer::make(vocabulary);
}

Result<std::string> run(const json& section, std::string_view text) {
  TERN_TRY(const Normalizer normalizer, make(section));
  std::string storage;
  TERN_TRY(const std::string_view out, normalizer.apply(text, storage));
  return std::string(out);
}

std::string done(const json& section, std::string_view text) {
  const auto out = run(section, text);
  return out ? *out : "error: " + out.error().message;
}

json type(const std::string& name) {
  return {{"type", name}};
}

TEST(Normalizer, BringsTextIntoTheFourForms) {
  const std::string text = "e\u0323\u0301 \uFB01 \uD55C\u11A8 \u212B \u0344";
  EXPECT_EQ(done(type("NFC"), "cafe\u0301"), "caf\u00E9");
  EXPECT_EQ(done(type("NFC"), "e\u0301\u0323"), "\u1EB9\u0301");
  EXPECT_EQ(done(type("NFD"), "caf\u00E9 \uAC00"), "cafe\u0301 \u1100\u1161");
  EXPECT_EQ(done(type("NFC"), "\u1112\u1161\u11AB \u1100\u1161\u11A8"), "\uD55C \uAC01");
  EXPECT_EQ(done(type("NFC"), "\uAC00\u11A8"), "\uAC01");
  EXPECT_EQ(done(type("NFKC"), "\uFB01 \uFF21 \u2460 \u212B"), "fi A 1 \u00C5");
  EXPECT_EQ(done(type("NFKD"), "\uFB01\u00E9"), "fie\u0301");
  EXPECT_EQ(done(type("NFC"), "\uFB01"), "\uFB01");
}

TEST(Normalizer, SaysWhereNothingChanges) {
  std::string out;
  EXPECT_FALSE(to_normal_form("plain ASCII, and caf\u00E9 na\u00EFf", NormalForm::nfc, out));
  EXPECT_FALSE(to_normal_form("\u6771\u4EAC", NormalForm::nfc, out));
  EXPECT_TRUE(out.empty());
  EXPECT_TRUE(to_normal_form("e\u0301", NormalForm::nfc, out));
}

TEST(Normalizer, KeepsBytesThatAreNoUtf8AndComposesNothingAcrossThem) {
  for (const std::string form : {"NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "Strip"}) {
    EXPECT_EQ(done(type(form), "a\xFF\xC3 b\xE2\x82"), "a\xFF\xC3 b\xE2\x82") << form;
  }
  EXPECT_EQ(done(type("NFC"), "e\xFF\u0301"), "e\xFF\u0301");
  EXPECT_EQ(done(type("BertNormalizer"), "A\xFF"), "a\xFF");
}

TEST(Normalizer, DoesTheSimpleSteps) {
  EXPECT_EQ(done(type("Lowercase"), "\u00C9A\u0130\u03A3"), "\u00E9ai\u0307\u03C3");
  EXPECT_EQ(done(type("StripAccents"), "e\u0301a"), "ea");
  EXPECT_EQ(done(type("Strip"), " \u3000a b\u00A0\n"), "a b");
  EXPECT_EQ(done({{"type", "Strip"}, {"strip_left", false}}, " a "), " a");
  EXPECT_EQ(done({{"type", "Prepend"}, {"prepend", "x"}}, "a"), "xa");
  EXPECT_EQ(done({{"type", "Prepend"}, {"prepend", "x"}}, ""), "");
  EXPECT_EQ(done({{"type", "Replace"}, {"pattern", {{"String", "aa"}}}, {"content", "b"}}, "aaaaa"), "bba");
  EXPECT_EQ(done({{"type", "Replace"}, {"pattern", {{"Regex", " {2,}"}}}, {"content", " "}}, "a  b   c d"), "a b c d");
  EXPECT_EQ(done({{"type", "Replace"}, {"pattern", {{"Regex", "b"}}}, {"content", "-"}},
                 "ab\xFF"
                 "b"),
            "a-\xFF-");
  EXPECT_EQ(done({{"type", "Replace"}, {"pattern", {{"Regex", "x*"}}}, {"content", "-"}}, "ab"), "-a-b-");
  EXPECT_EQ(done(type("Nmt"), "a\tb\u200Bc\x01"), "a b c");
  EXPECT_EQ(done(type("BertNormalizer"), "\u00C9\t\u4E00x\u00AD"), "e  \u4E00 x");
  EXPECT_EQ(done({{"type", "BertNormalizer"}, {"lowercase", false}}, "\u00C9"), "\u00C9");
}

TEST(Normalizer, RefusesWhatItDoesNotKnowByName) {
  EXPECT_NE(error_of(make(type("ByteLevel"))).find("ByteLevel"), std::string::npos);
  EXPECT_NE(error_of(make(json::object())).find("without a type"), std::string::npos);
  EXPECT_NE(error_of(make(json(3))).find("not a JSON object"), std::string::npos);
  EXPECT_NE(error_of(make(type("Sequence"))).find("no list"), std::string::npos);
  EXPECT_NE(error_of(make(type("Replace"))).find("needs"), std::string::npos);
  EXPECT_NE(error_of(make({{"type", "Replace"}, {"pattern", {{"Regex", "("}}}, {"content", ""}})).find("not a regular"),
            std::string::npos);
  EXPECT_NE(error_of(make({{"type", "Replace"}, {"pattern", {{"String", ""}}}, {"content", "x"}})).find("empty string"),
            std::string::npos);
  EXPECT_NE(error_of(make({{"type", "Precompiled"}, {"precompiled_charsmap", "!!"}})).find("base64"),
            std::string::npos);
}

TEST(Normalizer, RefusesSequencesNestedAThousandDeepAndEndlessOnes) {
  std::string deep = R"({"type":"NFC"})";
  for (int i = 0; i < 1000; ++i) deep = R"({"type":"Sequence","normalizers":[)" + deep + "]}";
  Vocabulary vocabulary;
  vocabulary.normalizer = deep;
  EXPECT_NE(error_of(Normalizer::make(vocabulary)).find("nested deeper"), std::string::npos);
  json wide = type("Sequence");
  for (int i = 0; i < 1000; ++i) wide["normalizers"].push_back(type("NFC"));
  EXPECT_NE(error_of(make(wide)).find("more than 256"), std::string::npos);
}

TEST(Normalizer, EndsOnPatternsThatBacktrackForEver) {
  const json bomb = {{"type", "Replace"}, {"pattern", {{"Regex", "(a+)+$"}}}, {"content", ""}};
  EXPECT_NE(error_of(run(bomb, std::string(1 << 20, 'a') + "b")).find("takes too long"), std::string::npos);
  EXPECT_NE(error_of(run(bomb, std::string(64, 'a') + "b")).find("takes too long"), std::string::npos);
  EXPECT_EQ(done(bomb, "baaa"), "b");
}

TEST(Normalizer, LimitsHowMuchATextGrows) {
  const json prepend = {{"type", "Prepend"}, {"prepend", std::string(3 << 20, 'x')}};
  EXPECT_NE(error_of(run(prepend, "a")).find("too large"), std::string::npos);
  json doubling = type("Sequence");
  for (int i = 0; i < 40; ++i) {
    doubling["normalizers"].push_back({{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aa"}});
  }
  EXPECT_NE(error_of(run(doubling, "a")).find("too large"), std::string::npos);
  EXPECT_NE(error_of(run(doubling, std::string(1 << 16, 'a'))).find("too large"), std::string::npos);
}

TEST(Normalizer, TakesNoSquareOfAMegabyteOfMarks) {
  std::string marks = "a";
  while (marks.size() < (1 << 20)) marks += "\u0301\u0323";
  for (const std::string form : {"NFC", "NFD", "NFKC", "NFKD", "BertNormalizer", "StripAccents"}) {
    const auto out = run(type(form), marks);
    ASSERT_TRUE(out.has_value()) << form << ": " << error_of(out);
  }
  EXPECT_EQ(done(type("NFC"), "a\u0301\u0323\u0301"), "\u1EA1\u0301\u0301");
}

// A character map with the keys "a" -> "xy" and "ab" -> "": unit 0 is the root.
std::vector<std::uint8_t> small_map() {
  std::vector<std::uint32_t> units(1024, 0);
  const auto unit = [](std::uint32_t label, std::uint32_t offset, bool ends) {
    return (offset << 10) | (ends ? 256U : 0U) | label;
  };
  units[0] = unit(0, 256, false);
  const std::size_t a = 256 ^ 'a';
  units[a] = unit('a', 512, true);  // children at a ^ 512
  const std::size_t a_base = a ^ 512;
  units[a_base] = 0x80000000U | 0;  // replacement at byte 0
  const std::size_t ab = a_base ^ 'b';
  units[ab] = unit('b', 256, true);
  units[ab ^ 256] = 0x80000000U | 2;  // the zero byte itself: empty
  std::vector<std::uint8_t> bytes(4 + units.size() * 4 + 3);
  const auto size = static_cast<std::uint32_t>(units.size() * 4);
  std::memcpy(bytes.data(), &size, 4);
  std::memcpy(bytes.data() + 4, units.data(), size);
  std::memcpy(bytes.data() + 4 + size, "xy", 3);
  return bytes;
}

TEST(CharsMap, FindsLongestAndShortestKeys) {
  const auto map = CharsMap::make(small_map());
  ASSERT_TRUE(map.has_value()) << error_of(map);
  EXPECT_EQ(map->longest("abc")->length, 2U);
  EXPECT_EQ(map->longest("abc")->replacement, "");
  EXPECT_EQ(map->shortest("abc")->replacement, "xy");
  EXPECT_FALSE(map->longest("b").has_value());
  EXPECT_FALSE(map->longest("").has_value());
  EXPECT_TRUE(map->is_plain('b'));
  EXPECT_FALSE(map->is_plain('a'));
}

TEST(CharsMap, RefusesDamagedBytes) {
  const auto good = small_map();
  const auto error_with = [&](std::size_t unit, std::uint32_t value) {
    auto bytes = good;
    std::memcpy(bytes.data() + 4 + unit * 4, &value, 4);
    return error_of(CharsMap::make(bytes));
  };
  const std::size_t a = 256 ^ 'a';
  EXPECT_NE(error_with(0, 0x7FFFFCU << 8).find("points to unit"), std::string::npos);
  EXPECT_NE(error_with(a ^ 512, 0x80000000U | 9999).find("no replacement"), std::string::npos);
  // "a" leads to the children of the root again: a key without an end.
  EXPECT_NE(error_with(a, (static_cast<std::uint32_t>('a') << 10) | 'a').find("back to itself"), std::string::npos);
  EXPECT_NE(error_of(CharsMap::make({})).find("at least 4"), std::string::npos);
  auto no_end = good;
  no_end.back() = 'z';
  EXPECT_NE(error_of(CharsMap::make(no_end)).find("zero byte"), std::string::npos);
  for (std::size_t n = 0; n < good.size(); ++n) EXPECT_FALSE(CharsMap::make(std::span(good).first(n)).has_value()) << n;
  for (std::size_t at = 0; at < good.size(); at += 3) {
    for (const int bits : {1, 0x80, 0xFF}) {
      auto changed = good;
      changed[at] = static_cast<std::uint8_t>(changed[at] ^ bits);
      const auto map = CharsMap::make(changed);
      if (map) (void)map->longest("abababab");
    }
  }
}

}  // namespace
}  // namespace tern::text
