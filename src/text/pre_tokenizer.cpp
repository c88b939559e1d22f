#include "text/pre_tokenizer.hpp"

#include "base/words.hpp"
#include "text/pre_names.hpp"
#include "text/rule_walk.hpp"

namespace tern::text {

Result<PreTokenizer> PreTokenizer::make(std::string_view name) {
  const NamedPreTokenizer* named = find_pre_tokenizer(name);
  if (named == nullptr) {
    return fail(ErrorCode::unsupported,
                "the pre-tokeniser is \"{}\", which this program does not have: it has {}; name one of them if the "
                "rules are the same",
                printable(name), pre_tokenizer_list());
  }
  return make(named->rules, SplitPattern::Trust::ours);
}

Result<PreTokenizer> PreTokenizer::make(const PreRules& rules) {
  if (rules.size() > kMaxPreRules) {
    return fail(ErrorCode::unsupported, "the pre-tokeniser has {} rules, at most {} are allowed", rules.size(),
                kMaxPreRules);
  }
  return make(rules, SplitPattern::Trust::from_file);
}

Result<PreTokenizer> PreTokenizer::make(const PreRules& rules, SplitPattern::Trust trust) {
  auto stages = std::make_shared<std::vector<Stage>>();
  for (const PreRule& rule : rules) {
    Stage stage;
    // The rule for spaces has no pattern to search for; an empty one does no harm.
    TERN_TRY(stage.pattern, SplitPattern::make(rule.prefix_space ? "" : rule.pattern, rule.on_bytes, trust));
    stage.rule = rule;
    stage.rule.pattern.clear();
    stages->push_back(std::move(stage));
  }
  PreTokenizer out;
  out.stages_ = std::move(stages);
  return out;
}

std::span<const std::string_view> PreTokenizer::names() {
  return pre_tokenizer_names();
}

bool PreTokenizer::takes_whole_words(std::string_view name) {
  const NamedPreTokenizer* named = find_pre_tokenizer(name);
  return named != nullptr && named->whole_words;
}

WordSplitter::WordSplitter(const PreTokenizer& pre_tokenizer) : stages_(pre_tokenizer.stages_) {
  for (const PreTokenizer::Stage& stage : *stages_) walks_.push_back(std::make_unique<RuleWalk>(stage));
}

WordSplitter::~WordSplitter() = default;

void WordSplitter::start(std::string_view text) {
  rest_ = text;
  depth_ = 0;
  if (!walks_.empty()) walks_[0]->start(text);
}

// Depth first: a piece goes down through the rules before the next one is asked for.
Result<std::string_view> WordSplitter::next() {
  if (walks_.empty()) return std::exchange(rest_, {});
  while (true) {
    TERN_TRY(const std::string_view piece, walks_[depth_]->next());
    if (piece.empty()) {
      if (depth_ == 0) return std::string_view{};
      --depth_;
    } else if (depth_ + 1 == walks_.size()) {
      return piece;
    } else {
      walks_[++depth_]->start(piece);
    }
  }
}

}  // namespace tern::text
