#include "text/pre_names.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <vector>

#include "text/regex_dialect.hpp"

namespace tern::text {

namespace {

constexpr std::string_view kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kGpt4o =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kThreeDigits = R"(\p{N}{1,3})";
constexpr std::string_view kThreeAsciiDigits = "[0-9][0-9][0-9]";
constexpr std::string_view kNewline = R"([\r\n])";
constexpr std::string_view kHanAndKana = R"([\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+)";
constexpr std::string_view kDeepseekEast = R"([\x{4E00}-\x{9FA5}\x{800}-\x{4E00}\x{AC00}-\x{D7FF}]+)";
constexpr std::string_view kDeepseek3 =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kBloom = R"( ?[^(\s|.,!?\x{2026}\x{3002}\x{FF0C}\x{3001}\x{964}\x{6D4}\x{60C})]+)";

// Letters with case, by range, as the tokenizer.json of DeepSeek LLM lists them (not a category: newer ones are out).
constexpr std::string_view kDeepseekLetters =
    R"(\s?[A-Za-z\x{B5}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1BA}\x{1BC}-\x{1BF}\x{1C4}-\x{293}\x{295}-\x{2AF})"
    R"(\x{370}-\x{373}\x{376}\x{377}\x{37B}-\x{37D}\x{37F}\x{386}\x{388}-\x{38A}\x{38C}\x{38E}-\x{3A1})"
    R"(\x{3A3}-\x{3F5}\x{3F7}-\x{481}\x{48A}-\x{52F}\x{531}-\x{556}\x{10A0}-\x{10C5}\x{13A0}-\x{13F5})"
    R"(\x{13F8}-\x{13FD}\x{1C90}-\x{1CBA}\x{1CBD}-\x{1CBF}\x{1D00}-\x{1D2B}\x{1D6B}-\x{1D77}\x{1D79}-\x{1D9A})"
    R"(\x{1E00}-\x{1F15}\x{1F18}-\x{1F1D}\x{1F20}-\x{1F45}\x{1F48}-\x{1F4D}\x{1F50}-\x{1F57}\x{1F59}\x{1F5B})"
    R"(\x{1F5D}\x{1F5F}-\x{1F7D}\x{1F80}-\x{1FB4}\x{1FB6}-\x{1FBC}\x{1FBE}\x{1FC2}-\x{1FC4}\x{1FC6}-\x{1FCC})"
    R"(\x{1FD0}-\x{1FD3}\x{1FD6}-\x{1FDB}\x{1FE0}-\x{1FEC}\x{1FF2}-\x{1FF4}\x{1FF6}-\x{1FFC}\x{2102}\x{2107})"
    R"(\x{210A}-\x{2113}\x{2115}\x{2119}-\x{211D}\x{2124}\x{2126}\x{2128}\x{212A}-\x{212D}\x{212F}-\x{2134}\x{2139})"
    R"(\x{213C}-\x{213F}\x{2145}-\x{2149}\x{214E}\x{2183}\x{2184}\x{2C00}-\x{2C7B}\x{2C7E}-\x{2CE4})"
    R"(\x{2CEB}-\x{2CEE}\x{2CF2}\x{2CF3}\x{A640}-\x{A66D}\x{A680}-\x{A69B}\x{A722}-\x{A76F}\x{A771}-\x{A787})"
    R"(\x{A78B}-\x{A78E}\x{AB70}-\x{ABBF}\x{FB00}-\x{FB06}\x{FB13}-\x{FB17}\x{FF21}-\x{FF3A}\x{FF41}-\x{FF5A})"
    R"(\x{10400}-\x{1044F}\x{104B0}-\x{104D3}\x{104D8}-\x{104FB}\x{10C80}-\x{10CB2}\x{10CC0}-\x{10CF2})"
    R"(\x{118A0}-\x{118DF}\x{1E900}-\x{1E943}]+)";

// Kimi K2 cuts runs of Han out of gpt-4o's pattern. Its [letters && not Han] is spelled as "none of the other
// categories, and not Han".
constexpr std::string_view kKimi =
    R"(\p{Han}+|)"
    R"([^\r\n\p{L}\p{N}]?[^\p{Ll}\p{N}\p{P}\p{S}\p{Z}\p{C}\p{Han}]*[^\p{Lu}\p{Lt}\p{N}\p{P}\p{S}\p{Z}\p{C}\p{Han}]+)"
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"([^\r\n\p{L}\p{N}]?[^\p{Ll}\p{N}\p{P}\p{S}\p{Z}\p{C}\p{Han}]+[^\p{Lu}\p{Lt}\p{N}\p{P}\p{S}\p{Z}\p{C}\p{Han}]*)"
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

struct Rule {
  std::string_view pattern;
  SplitBehavior behavior = SplitBehavior::isolated;
  bool on_bytes = false;
};

struct Row {
  std::string_view name;
  std::initializer_list<std::string_view> aliases;
  std::initializer_list<Rule> rules;
  bool whole_words = false;
  bool starts_with_bos = false;
};

// The table. Every row's rules cut every text into pieces without dropping a byte.
const std::vector<NamedPreTokenizer>& table() {
  static const std::vector<NamedPreTokenizer> rows = [] {
    constexpr bool kWholeWords = true;
    constexpr bool kBos = true;
    constexpr bool kOnBytes = true;
    const Row rows_as_written[] = {
        {"gpt-2",
         {"gpt2", "phi-2", "mpt", "olmo", "jais", "trillion", "granite-docling", "exaone4", "gigachat", "a.x-4.0",
          "mellum", "modern-bert", "jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "jina-v1-en", "jina-v2-code",
          "roberta-bpe"},
         {{kGpt2Pattern}}},
        {"llama-bpe",
         {"llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano"},
         {{kLlama3}},
         kWholeWords,
         kBos},
        {"smaug-bpe", {"dbrx", "chatglm-bpe", "glm4"}, {{kLlama3}}},
        {"qwen2",
         {"deepseek-r1-qwen", "stablelm2", "megrez", "hunyuan", "solar-open", "grok-2", "kormo", "f2llmv2"},
         {{kQwen2}}},
        {"qwen35",
         {},
         {{R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|)"
           R"(\s*[\r\n]+|\s+(?!\S)|\s+)"}}},
        {"starcoder",
         {"refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b", "mellum2"},
         {{kDigitPattern}, {kGpt2Pattern}}},
        // The digits are cut after ByteLevel, so the letters that the alphabet has for six bytes count as digits: its
        // vocabulary was trained that way and has no token that mixes them with others.
        {"falcon",
         {},
         {{kPunctuationPattern, SplitBehavior::contiguous},
          {kGpt2Pattern},
          {kDigitRunPattern, SplitBehavior::isolated, kOnBytes},
          {kThreeAsciiDigits, SplitBehavior::isolated, kOnBytes}}},
        {"deepseek-llm",
         {},
         {{kNewline},
          {kDeepseekLetters},
          {R"(\s?[!-/:-~\x{FF01}-\x{FF0F}\x{FF1A}-\x{FF5E}\x{2018}-\x{201F}\x{3000}-\x{3002}]+)"},
          {R"(\s+$)"},
          {kDeepseekEast},
          {kDigitPattern}}},
        {"deepseek-coder", {}, {{kNewline}, {R"(\s?\p{L}+)"}, {R"(\s?\p{P}+)"}, {kDeepseekEast}, {kDigitPattern}}},
        {"deepseek-v3", {"hunyuan-dense", "joyai-llm", "hy_v4"}, {{kThreeDigits}, {kHanAndKana}, {kDeepseek3}}},
        {"spark2_5",
         {},
         {{kThreeDigits},
          {kHanAndKana},
          {R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+|)"
           R"([\r\n]|\s+(?!\S)|\s+)"},
          {kDigitPattern}}},
        {"youtu",
         {},
         {{R"([\x{AC00}-\x{D7A3}\x{3131}-\x{318E}]+|[\x{FF01}\x{2026}\x{201C}\x{201D}\x{2018}\x{2019}\x{2014}\x{FF1A})"
           R"(\x{FF1B}\x{FF0C}\x{3001}-\x{303F}\x{FE30}-\x{FE4F}]+|[\x{3105}-\x{312F}]+|)"
           R"([\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+)"},
          {R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
           R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
           R"(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"}},
         kWholeWords},
        {"bloom", {"poro-chat", "gpt3-finnish"}, {{kBloom}}},
        {"viking", {}, {{kBloom}, {kDigitPattern}}},
        {"tekken",
         {},
         {{R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|)"
           R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|)"
           R"(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"}},
         kWholeWords,
         kBos},
        {"gpt-4o", {"llama4", "kanana2", "talkie", "minimax-m2"}, {{kGpt4o}}},
        {"tiny_aya", {"cohere2moe"}, {{R"(\d{1,3}(?=(?:\d{3})*\b))"}, {kGpt4o}}},
        {"kimi-k2", {}, {{kKimi}}},
        {"bailingmoe",
         {"bailingmoe2", "llada-moe"},
         {{R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)"}}},
        {"seed-coder",
         {},
         {{R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|)"
           R"(\s+(?!\S)|\s+)"}}},
        {"ufakzeka", {}, {{R"([^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"}}},
        {"laguna", {}, {{R"([^\n]+|[\n]+)"}, {kQwen2}}},
        {"minicpm5",
         {},
         {{kThreeDigits},
          {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|)"
           R"(\s+(?!\S)|\s+)"}},
         kWholeWords},
        {"exaone-moe",
         {},
         {{R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}|)"
           R"( ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+)"}}},
        {"jais-2",
         {},
         {{R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|)"
           R"(\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|)"
           R"(\s{1,2}(?!\S)|\s{1})"}}},
        {"chameleon",
         {},
         {{"<sentinel:[0-9]+>"},
          {"(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z"},
          {R"(([\t\n]|    |  ))"},
          {kDigitPattern},
          {R"([\p{P}!-/:-@\[-`{-~])"},
          {kGpt2Pattern}},
         false,
         kBos},
        {"default", {}, {{R"([\p{P}\$\+<=>\^~\|]+)"}, {kGpt2Pattern}, {kDigitRunPattern}, {kThreeAsciiDigits}}},
    };
    std::vector<NamedPreTokenizer> out;
    for (const Row& row : rows_as_written) {
      NamedPreTokenizer named{
          row.name, {row.aliases.begin(), row.aliases.end()}, {}, row.whole_words, row.starts_with_bos};
      for (const Rule& rule : row.rules) {
        named.rules.push_back(
            {.pattern = std::string(rule.pattern), .behavior = rule.behavior, .on_bytes = rule.on_bytes});
      }
      out.push_back(std::move(named));
    }
    return out;
  }();
  return rows;
}

// GPT-2's pattern in tiktoken's faster spelling, which some files carry.
constexpr std::string_view kGpt2OfTiktoken =
    R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

// Rules in one spelling: patterns as they are translated.
PreRules normalised(PreRules rules) {
  for (PreRule& rule : rules) {
    if (rule.pattern == kGpt2OfTiktoken) rule.pattern = kGpt2Pattern;
    if (auto translated = translate_regex(rule.pattern)) rule.pattern = std::move(translated->pattern);
  }
  return rules;
}

}  // namespace

const NamedPreTokenizer* find_pre_tokenizer(std::string_view name) {
  for (const NamedPreTokenizer& row : table()) {
    if (row.name == name || std::ranges::find(row.aliases, name) != row.aliases.end()) return &row;
  }
  return nullptr;
}

const NamedPreTokenizer* find_pre_tokenizer(const PreRules& rules) {
  const PreRules wanted = normalised(rules);
  for (const NamedPreTokenizer& row : table()) {
    if (row.rules.size() == wanted.size() && normalised(row.rules) == wanted) return &row;
  }
  return nullptr;
}

std::span<const std::string_view> pre_tokenizer_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> out;
    for (const NamedPreTokenizer& row : table()) out.push_back(row.name);
    return out;
  }();
  return names;
}

std::string pre_tokenizer_list() {
  return fmt::format("{}", fmt::join(pre_tokenizer_names(), ", "));
}

}  // namespace tern::text
