#include "text/rule_walk.hpp"

#include <algorithm>
#include <utility>

#include "base/utf8.hpp"
#include "text/byte_alphabet.hpp"

namespace tern::text {

namespace {
constexpr std::size_t kBlockBytes = 64 * 1024;
}

void RuleWalk::start(std::string_view piece) {
  const PreRule& rule = stage_.rule;
  piece_ = piece;
  whole_ = {};
  searching_ = false;
  match_.reset();
  ahead_.reset();
  covered_ = piece.size();
  if (rule.prefix_space) {
    whole_ = with_space(piece);
    return;
  }
  if (!stage_.pattern.may_match(piece)) {
    // One part, which is no match; inverted, it is one.
    if (rule.behavior != SplitBehavior::removed || !rule.invert) whole_ = piece;
    return;
  }
  subject_ = piece;
  if (rule.on_bytes) {
    spelling_ = to_byte_alphabet(piece);
    subject_ = spelling_;
  }
  searching_ = true;
  from_ = seen_ = seen_raw_ = covered_ = 0;
  last_match_.reset();
}

// Words are kept by their address for as long as the splitter lives, so these copies are never moved or freed.
std::string_view RuleWalk::with_space(std::string_view piece) {
  if (piece.empty() || piece.starts_with(' ')) return piece;
  const std::size_t size = piece.size() + 1;
  if (blocks_.empty() || blocks_.back().capacity() - blocks_.back().size() < size) {
    blocks_.emplace_back().reserve(std::max(size, kBlockBytes));
  }
  std::string& block = blocks_.back();
  const std::size_t start = block.size();
  block += ' ';
  block += piece;
  return std::string_view(block).substr(start);
}

// Each character of the alphabet is one byte of the piece.
std::size_t RuleWalk::raw_offset(std::size_t subject_offset) {
  if (!stage_.rule.on_bytes) return subject_offset;
  for (; seen_ < subject_offset; ++seen_) {
    if (!is_utf8_continuation(subject_[seen_])) ++seen_raw_;
  }
  return seen_raw_;
}

// An empty match right behind another match does not count: the search goes on one character later.
Result<std::optional<PatternMatch>> RuleWalk::next_match() {
  while (searching_) {
    TERN_TRY(const auto found, search_.find(subject_, from_));
    if (!found) break;
    if (found->begin == found->end && last_match_ == found->end) {
      if (from_ == subject_.size()) break;
      from_ += utf8_step(subject_.substr(from_)).length;
      continue;
    }
    from_ = found->end;
    last_match_ = found->end;
    return found;
  }
  searching_ = false;
  return std::optional<PatternMatch>{};
}

Result<std::optional<RuleWalk::Part>> RuleWalk::next_part() {
  if (ahead_) return std::exchange(ahead_, std::nullopt);
  if (!match_ && searching_) {
    TERN_TRY(const auto found, next_match());
    if (found) {
      const std::size_t begin = raw_offset(found->begin);
      match_ = Part{begin, raw_offset(found->end), !stage_.rule.invert};
    }
  }
  const std::size_t gap_end = match_ ? match_->begin : piece_.size();
  if (covered_ < gap_end) {
    const Part gap{covered_, gap_end, stage_.rule.invert};
    covered_ = gap_end;
    return std::optional(gap);
  }
  if (!match_) return std::optional<Part>{};
  covered_ = match_->end;
  return std::exchange(match_, std::nullopt);
}

// Whether the part after this one belongs to the same piece.
Result<bool> RuleWalk::joins_next(const Part& part) {
  const SplitBehavior behavior = stage_.rule.behavior;
  if (behavior == SplitBehavior::isolated || behavior == SplitBehavior::removed) return false;
  if (behavior == SplitBehavior::merged_with_previous && part.is_match) return false;
  if (behavior == SplitBehavior::merged_with_next && !part.is_match) return false;
  TERN_TRY(ahead_, next_part());
  if (!ahead_) return false;
  return behavior == SplitBehavior::contiguous ? ahead_->is_match == part.is_match : ahead_->is_match != part.is_match;
}

Result<std::string_view> RuleWalk::next() {
  if (!whole_.empty()) return std::exchange(whole_, {});
  while (true) {
    TERN_TRY(auto part, next_part());
    if (!part) return std::string_view{};
    if (part->is_match && stage_.rule.behavior == SplitBehavior::removed) continue;
    while (true) {
      TERN_TRY(const bool joins, joins_next(*part));
      if (!joins) break;
      part->end = ahead_->end;
      ahead_.reset();
      if (stage_.rule.behavior != SplitBehavior::contiguous) break;
    }
    if (part->begin < part->end) return piece_.substr(part->begin, part->end - part->begin);
  }
}

}  // namespace tern::text
