#include "engine/speculation.hpp"

#include <algorithm>

#include "engine/prompt_lookup.hpp"

namespace tern::engine {

void Speculation::learn() {
  if (drafts_.empty()) return;
  if (n_right_ == 0) {
    constexpr int kLongestPause = 5;  // as a power of two
    n_pauses_ = (std::int64_t{1} << std::min(n_misses_++, kLongestPause)) - 1;
    n_next_ = 1;
    return;
  }
  n_misses_ = 0;
  n_next_ = n_right_ == drafts_.size() ? std::min(n_most_, 2 * n_next_) : static_cast<std::int64_t>(n_right_);
}

void Speculation::draft(std::span<const std::int32_t> ids, std::int64_t n_left) {
  drafts_.clear();
  if (n_pauses_ > 0) {
    --n_pauses_;
    return;
  }
  const std::int64_t n = std::min({n_next_, n_left - 1, session_.options().n_ctx - std::ssize(ids)});
  if (n <= 0) return;
  drafts_ = prompt_lookup(ids, static_cast<std::size_t>(n));
  n_drafted_ += std::ssize(drafts_);
}

void Speculation::finish() {
  if (!batch_.empty()) session_.truncate(0, batch_.front().position + 1 + static_cast<std::int64_t>(n_right_));
}

Result<void> Speculation::advance(std::span<const std::int32_t> ids, std::int64_t n_left) {
  if (n_right_ < drafts_.size() && drafts_[n_right_] == ids.back()) {
    ++n_right_;
    ++n_accepted_;
    return {};
  }
  learn();
  draft(ids, n_left);
  n_right_ = 0;
  auto position = static_cast<std::int32_t>(ids.size()) - 1;
  session_.truncate(0, position);
  batch_.assign(1, {ids.back(), position, 0, true});
  for (const std::int32_t id : drafts_) batch_.push_back({id, ++position, 0, true});
  return session_.decode(batch_);
}

}  // namespace tern::engine
