// Reads Python's pickle format, protocols 2 to 5, as data: a small stack machine that builds plain values and calls
// nothing. What Python would call becomes a value that says so (callee and arguments), and only names that the caller
// allows may be mentioned at all. An opcode that is not needed for tensors is refused by name.
// The values lie in one list and refer to each other by number, so that neither shared nor nested nor cyclic ones cost
// more than the opcodes that made them, and nothing here is recursive. Source: pickletools.py of CPython, PEP 3154 and
// 574.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.hpp"

namespace tern::files {

/// The number of a value in its Pickle.
using PickleRef = std::uint32_t;

struct PickleNone {};
struct PickleBytes {
  std::string_view bytes;
};
struct PickleTuple {
  std::uint32_t first = 0;  // Pickle::items() resolves it
  std::uint32_t n = 0;
};
struct PickleList {
  std::uint32_t index = 0;  // also a set
};
struct PickleDict {
  std::uint32_t index = 0;  // also an OrderedDict
};
/// module.name
struct PickleGlobal {
  std::string_view module;
  std::string_view name;
};
/// What Python would call, and did not.
struct PickleCall {
  PickleRef callee = 0;
  PickleRef arguments = 0;
};
/// Something outside the pickle; torch.save names storages so.
struct PicklePersistent {
  PickleRef id = 0;
};
using PickleValue = std::variant<PickleNone, bool, std::int64_t, double, std::string_view, PickleBytes, PickleTuple,
                                 PickleList, PickleDict, PickleGlobal, PickleCall, PicklePersistent>;

class Pickle {
 public:
  static constexpr std::size_t kMaxBytes = std::size_t{1} << 25;
  static constexpr std::size_t kMaxValues = std::size_t{1} << 19;
  static constexpr std::size_t kMaxItems = std::size_t{1} << 21;  // of all tuples, lists and dicts together

  using Allowed = bool (*)(std::string_view module, std::string_view name);
  using Pair = std::pair<PickleRef, PickleRef>;

  /// Texts are views of `bytes`, which must outlive the object. Errors: bad_input for a broken pickle; unsupported for
  /// an opcode or a name that is not allowed, which it names.
  [[nodiscard]] static Result<Pickle> parse(std::span<const std::byte> bytes, Allowed allowed);

  [[nodiscard]] PickleRef root() const { return root_; }
  [[nodiscard]] const PickleValue& value(PickleRef ref) const { return values_[ref]; }
  /// Null when the value is of another kind.
  template <typename T>
  [[nodiscard]] const T* get(PickleRef ref) const {
    return std::get_if<T>(&values_[ref]);
  }
  [[nodiscard]] std::span<const PickleRef> items(PickleTuple tuple) const {
    return std::span(tuple_items_).subspan(tuple.first, tuple.n);
  }
  [[nodiscard]] std::span<const PickleRef> items(PickleList list) const { return lists_[list.index]; }
  [[nodiscard]] std::span<const Pair> items(PickleDict dict) const { return dicts_[dict.index]; }

 private:
  friend class PickleMachine;
  Pickle() = default;

  std::vector<PickleValue> values_;
  std::vector<PickleRef> tuple_items_;
  std::vector<std::vector<PickleRef>> lists_;
  std::vector<std::vector<Pair>> dicts_;
  PickleRef root_ = 0;
};

}  // namespace tern::files
