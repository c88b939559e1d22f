// The machine behind Pickle::parse: a stack, marks, a memo, and one member function for each opcode. Which opcode byte
// calls which is pickle.cpp's table; what the values mean is for others.
#pragma once

#include <array>
#include <optional>

#include "base/byte_cursor.hpp"
#include "files/pickle.hpp"

namespace tern::files {

/// The stack machine. Each opcode is one short member function, listed in kOpcodes of pickle.cpp.
class PickleMachine {
 public:
  PickleMachine(std::span<const std::byte> bytes, Pickle::Allowed allowed) : cursor_(bytes), allowed_(allowed) {}

  Result<Pickle> run();

  // Constants.
  Result<void> none() { return push_value(PickleNone{}); }
  Result<void> yes() { return push_value(true); }
  Result<void> no() { return push_value(false); }
  template <typename T>
  Result<void> integer() {
    TERN_TRY(const T value, cursor_.read<T>("an integer"));
    return push_value(static_cast<std::int64_t>(value));
  }
  template <typename Length>
  Result<void> long_integer();
  Result<void> real();
  template <typename Length>
  Result<void> text() {
    TERN_TRY(const std::string_view view, take<Length>("a text"));
    return push_value(view);
  }
  template <typename Length>
  Result<void> raw_bytes() {
    TERN_TRY(const std::string_view view, take<Length>("a string of bytes"));
    return push_value(PickleBytes{view});
  }

  // Containers.
  Result<void> mark();
  template <std::size_t n>
  Result<void> tuple_of();
  Result<void> tuple();
  Result<void> empty_list();
  Result<void> empty_dict();
  Result<void> append();
  Result<void> appends();
  Result<void> set_item();
  Result<void> set_items();
  Result<void> frozen_set();

  // The memo.
  template <typename Index>
  Result<void> put() {
    TERN_TRY(const Index index, cursor_.read<Index>("a place of the memo"));
    return remember(index);
  }
  Result<void> memoize() { return remember(n_remembered_); }
  template <typename Index>
  Result<void> get() {
    TERN_TRY(const Index index, cursor_.read<Index>("a place of the memo"));
    if (index >= memo_.size() || !memo_[index]) {
      return fail(ErrorCode::bad_input, "takes place {} of the memo, where nothing was put", index);
    }
    return push(*memo_[index]);
  }

  // Objects.
  Result<void> global();
  Result<void> stack_global();
  Result<void> call();
  Result<void> build();
  Result<void> persistent();

  // Frame.
  Result<void> protocol();
  Result<void> frame();
  Result<void> stop();

 private:
  template <typename Length>
  Result<std::string_view> take(std::string_view what) {
    TERN_TRY(const Length n_bytes, cursor_.read<Length>(what));
    TERN_TRY(const auto bytes, cursor_.take(n_bytes, what));
    return as_text(bytes);
  }
  Result<std::string_view> take_line();
  Result<PickleRef> add(const PickleValue& value);
  Result<void> push(PickleRef ref);
  Result<void> push_value(const PickleValue& value) {
    TERN_TRY(const PickleRef ref, add(value));
    return push(ref);
  }
  Result<PickleRef> pop();
  /// What was pushed since the last mark; the mark goes.
  Result<std::vector<PickleRef>> pop_to_mark();
  Result<void> make_tuple(std::span<const PickleRef> items);
  Result<std::vector<PickleRef>*> top_list();
  Result<std::vector<Pickle::Pair>*> top_dict();
  Result<void> count_items(std::size_t n);
  Result<void> remember(std::size_t index);
  Result<void> push_global(std::string_view module, std::string_view name);

  ByteCursor cursor_;
  Pickle::Allowed allowed_;
  Pickle pickle_;
  std::vector<PickleRef> stack_;
  std::vector<std::size_t> marks_;  // heights of the stack
  std::vector<std::optional<PickleRef>> memo_;
  std::size_t n_remembered_ = 0;
  std::size_t n_items_ = 0;
  bool stopped_ = false;
};

template <typename Length>
Result<void> PickleMachine::long_integer() {
  TERN_TRY(const Length n_bytes, cursor_.read<Length>("the length of an integer"));
  if (n_bytes > sizeof(std::uint64_t)) {
    return fail(ErrorCode::unsupported, "an integer of {} bytes, expected at most 8", n_bytes);
  }
  TERN_TRY(const auto bytes, cursor_.take(n_bytes, "an integer"));
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) bits |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  if (!bytes.empty() && bytes.size() < sizeof bits && (std::to_integer<unsigned>(bytes.back()) & 0x80) != 0) {
    bits |= ~std::uint64_t{0} << (8 * bytes.size());  // two's complement
  }
  return push_value(static_cast<std::int64_t>(bits));
}

template <std::size_t n>
Result<void> PickleMachine::tuple_of() {
  std::array<PickleRef, n> items{};
  for (std::size_t i = n; i-- > 0;) {
    TERN_TRY(items[i], pop());
  }
  return make_tuple(items);
}

}  // namespace tern::files
