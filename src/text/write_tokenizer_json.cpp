#include "text/write_tokenizer_json.hpp"

#include <nlohmann/json.hpp>

#include "base/words.hpp"
#include "text/pre_names.hpp"

namespace tern::text {

namespace {

using Json = nlohmann::ordered_json;

Json added_tokens(const Vocabulary& vocabulary) {
  Json added = Json::array();
  for (std::size_t id = 0; id < vocabulary.size(); ++id) {
    const TokenType type = vocabulary.type(id);
    if (type != TokenType::control && type != TokenType::user_defined && type != TokenType::unknown) continue;
    added.push_back({{"id", id},
                     {"content", vocabulary.tokens[id]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", type != TokenType::user_defined}});
  }
  return added;
}

Result<Json> pre_tokenizer(const Vocabulary& vocabulary) {
  const NamedPreTokenizer* named = find_pre_tokenizer(vocabulary.pre);
  if (named == nullptr) {
    return fail(ErrorCode::unsupported, "the pre-tokeniser \"{}\" cannot be written as a tokenizer.json",
                printable(vocabulary.pre));
  }
  Json parts = Json::array();
  for (const PreRule& rule : named->rules) {
    if (rule.on_bytes || rule.prefix_space || rule.invert || rule.behavior != SplitBehavior::isolated) {
      return fail(ErrorCode::unsupported, "the rules of the pre-tokeniser \"{}\" cannot be written as a tokenizer.json",
                  printable(vocabulary.pre));
    }
    parts.push_back(
        {{"type", "Split"}, {"pattern", {{"Regex", rule.pattern}}}, {"behavior", "Isolated"}, {"invert", false}});
  }
  parts.push_back({{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", false}});
  return Json{{"type", "Sequence"}, {"pretokenizers", parts}};
}

Json special_piece(const std::string& name) {
  return {{"SpecialToken", {{"id", name}, {"type_id", 0}}}};
}

Json sequence_piece(std::string_view name, int type_id) {
  return {{"Sequence", {{"id", name}, {"type_id", type_id}}}};
}

// What stands before and after a text, as the vocabulary says.
Json post_processor(const Vocabulary& vocabulary) {
  const auto name = [&](std::int32_t id) { return vocabulary.tokens[static_cast<std::size_t>(id)]; };
  Json single = Json::array();
  Json pair = Json::array();
  Json tokens = Json::object();
  const auto put = [&](bool wanted, std::optional<std::int32_t> id) {
    if (!wanted || !id) return;
    single.push_back(special_piece(name(*id)));
    pair.push_back(special_piece(name(*id)));
    tokens[name(*id)] = {{"id", name(*id)}, {"ids", {*id}}, {"tokens", {name(*id)}}};
  };
  put(vocabulary.add_bos, vocabulary.bos);
  single.push_back(sequence_piece("A", 0));
  pair.push_back(sequence_piece("A", 0));
  pair.push_back(sequence_piece("B", 1));
  put(vocabulary.add_eos, vocabulary.eos);
  if (tokens.empty()) return nullptr;
  return {{"type", "TemplateProcessing"}, {"single", single}, {"pair", pair}, {"special_tokens", tokens}};
}

Result<Json> model(const Vocabulary& vocabulary) {
  Json vocab = Json::object();
  Json merges = Json::array();
  for (std::size_t id = 0; id < vocabulary.size(); ++id) vocab[vocabulary.tokens[id]] = id;
  if (vocab.size() != vocabulary.size()) {
    return fail(ErrorCode::unsupported, "two tokens of the vocabulary have one spelling, which tokenizer.json has not");
  }
  for (const std::string& merge : vocabulary.merges) {
    const std::size_t space = merge.find(' ');
    if (space == std::string::npos || merge.find(' ', space + 1) != std::string::npos) {
      return fail(ErrorCode::unsupported, "the merge \"{}\" is not two spellings with one space", printable(merge));
    }
    merges.push_back({merge.substr(0, space), merge.substr(space + 1)});
  }
  const bool whole = find_pre_tokenizer(vocabulary.pre)->whole_words;
  Json unk = nullptr;
  if (vocabulary.unk) unk = vocabulary.tokens[static_cast<std::size_t>(*vocabulary.unk)];
  return Json{{"type", "BPE"},
              {"dropout", nullptr},
              {"unk_token", unk},
              {"continuing_subword_prefix", nullptr},
              {"end_of_word_suffix", nullptr},
              {"fuse_unk", false},
              {"byte_fallback", false},
              {"ignore_merges", vocabulary.ignore_merges.value_or(whole)},
              {"vocab", vocab},
              {"merges", merges}};
}

std::string text_of(const Json& value) {
  return value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

Result<std::string> tokenizer_json_text(const Vocabulary& vocabulary) {
  if (vocabulary.kind != TokenizerKind::bpe || !vocabulary.normalizer.empty()) {
    return fail(ErrorCode::unsupported,
                "only byte-level BPE without a normaliser can be written as a tokenizer.json, not {}",
                vocabulary.source.empty() ? "this vocabulary" : vocabulary.source);
  }
  TERN_TRY_DO(check_vocabulary(vocabulary));
  TERN_TRY(const Json splits, pre_tokenizer(vocabulary));
  TERN_TRY(const Json bpe, model(vocabulary));
  return text_of(
      {{"version", "1.0"},
       {"truncation", nullptr},
       {"padding", nullptr},
       {"added_tokens", added_tokens(vocabulary)},
       {"normalizer", nullptr},
       {"pre_tokenizer", splits},
       {"post_processor", post_processor(vocabulary)},
       {"decoder", {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}}},
       {"model", bpe}});
}

std::string tokenizer_config_text(const Vocabulary& vocabulary, std::size_t n_ctx) {
  Json config{{"tokenizer_class", "PreTrainedTokenizerFast"}};
  const auto put = [&](std::string_view key, std::optional<std::int32_t> id) {
    if (id) config[std::string(key)] = vocabulary.tokens[static_cast<std::size_t>(*id)];
  };
  put("bos_token", vocabulary.bos);
  put("eos_token", vocabulary.eos);
  put("unk_token", vocabulary.unk);
  put("pad_token", vocabulary.pad);
  if (vocabulary.bos) config["add_bos_token"] = vocabulary.add_bos;
  if (vocabulary.eos) config["add_eos_token"] = vocabulary.add_eos;
  config["clean_up_tokenization_spaces"] = false;
  if (n_ctx > 0) config["model_max_length"] = n_ctx;
  if (!vocabulary.chat_template.empty()) config["chat_template"] = vocabulary.chat_template;
  return text_of(config);
}

}  // namespace tern::text
