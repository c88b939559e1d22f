#include "text/special_tokens.hpp"

#include <algorithm>

namespace tern::text {

namespace {

// Names share their beginnings, a million "<extra_id_7>" above all: the exact number of nodes costs a sort and saves
// most of the table.
std::size_t count_nodes(const std::vector<SpecialTokens::Entry>& entries) {
  std::vector<std::string_view> names;
  names.reserve(entries.size());
  for (const SpecialTokens::Entry& entry : entries) names.push_back(entry.name);
  std::ranges::sort(names);
  std::size_t n_nodes = 0;
  std::string_view before;
  for (const std::string_view name : names) {
    const auto differs = std::ranges::mismatch(name, before).in1;
    n_nodes += static_cast<std::size_t>(name.end() - differs);
    before = name;
  }
  return n_nodes;
}

}  // namespace

Result<SpecialTokens> SpecialTokens::make(const std::vector<Entry>& entries) {
  for (const Entry& entry : entries) {
    if (entry.name.size() > kMaxNameBytes) {
      return fail(ErrorCode::bad_input, "special token {} has a name of {} bytes, at most {} are allowed", entry.id,
                  entry.name.size(), kMaxNameBytes);
    }
  }
  SpecialTokens special;
  special.children_ = PairIndex(count_nodes(entries));
  special.id_.push_back(-1);
  for (const Entry& entry : entries) {
    std::uint32_t node = 0;
    for (const char c : entry.name) {
      const auto byte = static_cast<std::uint32_t>(static_cast<unsigned char>(c));
      const Merge child = special.children_.find(node, byte);
      if (child.rank != Merge::kNone) {
        node = child.id;
        continue;
      }
      const auto fresh = static_cast<std::uint32_t>(special.id_.size());
      special.children_.insert(node, byte, {0, fresh});
      special.id_.push_back(-1);
      node = fresh;
    }
    if (node == 0) continue;
    special.first_bytes_.set(static_cast<unsigned char>(entry.name[0]));
    if (special.id_[node] < 0) special.id_[node] = entry.id;
  }
  return special;
}

std::optional<SpecialTokens::Match> SpecialTokens::find(std::string_view text, std::size_t from) const {
  if (first_bytes_.none()) return std::nullopt;
  for (std::size_t start = from; start < text.size(); ++start) {
    if (!first_bytes_.test(static_cast<unsigned char>(text[start]))) continue;
    Match best;
    std::uint32_t node = 0;
    for (std::size_t at = start; at < text.size(); ++at) {
      const Merge child = children_.find(node, static_cast<std::uint32_t>(static_cast<unsigned char>(text[at])));
      if (child.rank == Merge::kNone) break;
      node = child.id;
      if (id_[node] >= 0) best = {start, at + 1 - start, id_[node]};
    }
    if (best.length != 0) return best;
  }
  return std::nullopt;
}

}  // namespace tern::text
