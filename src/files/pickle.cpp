#include "files/pickle.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "base/byte_cursor.hpp"
#include "base/words.hpp"

namespace tern::files {

/// The stack machine. Each opcode is one short member function, listed in kOpcodes below.
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

namespace {

struct Opcode {
  unsigned char code;
  std::string_view name;
  Result<void> (PickleMachine::*run)();  // null: known and refused
};

using M = PickleMachine;
constexpr std::array kOpcodes{
    Opcode{0x80, "PROTO", &M::protocol},
    Opcode{0x95, "FRAME", &M::frame},
    Opcode{'.', "STOP", &M::stop},
    Opcode{'N', "NONE", &M::none},
    Opcode{0x88, "NEWTRUE", &M::yes},
    Opcode{0x89, "NEWFALSE", &M::no},
    Opcode{'J', "BININT", &M::integer<std::int32_t>},
    Opcode{'K', "BININT1", &M::integer<std::uint8_t>},
    Opcode{'M', "BININT2", &M::integer<std::uint16_t>},
    Opcode{0x8a, "LONG1", &M::long_integer<std::uint8_t>},
    Opcode{0x8b, "LONG4", &M::long_integer<std::uint32_t>},
    Opcode{'G', "BINFLOAT", &M::real},
    Opcode{0x8c, "SHORT_BINUNICODE", &M::text<std::uint8_t>},
    Opcode{'X', "BINUNICODE", &M::text<std::uint32_t>},
    Opcode{0x8d, "BINUNICODE8", &M::text<std::uint64_t>},
    Opcode{'U', "SHORT_BINSTRING", &M::text<std::uint8_t>},  // Python 2's str
    Opcode{'T', "BINSTRING", &M::text<std::uint32_t>},
    Opcode{'C', "SHORT_BINBYTES", &M::raw_bytes<std::uint8_t>},
    Opcode{'B', "BINBYTES", &M::raw_bytes<std::uint32_t>},
    Opcode{0x8e, "BINBYTES8", &M::raw_bytes<std::uint64_t>},
    Opcode{0x96, "BYTEARRAY8", &M::raw_bytes<std::uint64_t>},
    Opcode{'(', "MARK", &M::mark},
    Opcode{')', "EMPTY_TUPLE", &M::tuple_of<0>},
    Opcode{0x85, "TUPLE1", &M::tuple_of<1>},
    Opcode{0x86, "TUPLE2", &M::tuple_of<2>},
    Opcode{0x87, "TUPLE3", &M::tuple_of<3>},
    Opcode{'t', "TUPLE", &M::tuple},
    Opcode{']', "EMPTY_LIST", &M::empty_list},
    Opcode{'a', "APPEND", &M::append},
    Opcode{'e', "APPENDS", &M::appends},
    Opcode{'}', "EMPTY_DICT", &M::empty_dict},
    Opcode{'s', "SETITEM", &M::set_item},
    Opcode{'u', "SETITEMS", &M::set_items},
    Opcode{0x8f, "EMPTY_SET", &M::empty_list},
    Opcode{0x90, "ADDITEMS", &M::appends},
    Opcode{0x91, "FROZENSET", &M::frozen_set},
    Opcode{'q', "BINPUT", &M::put<std::uint8_t>},
    Opcode{'r', "LONG_BINPUT", &M::put<std::uint32_t>},
    Opcode{0x94, "MEMOIZE", &M::memoize},
    Opcode{'h', "BINGET", &M::get<std::uint8_t>},
    Opcode{'j', "LONG_BINGET", &M::get<std::uint32_t>},
    Opcode{'c', "GLOBAL", &M::global},
    Opcode{0x93, "STACK_GLOBAL", &M::stack_global},
    Opcode{'R', "REDUCE", &M::call},
    Opcode{0x81, "NEWOBJ", &M::call},
    Opcode{'b', "BUILD", &M::build},
    Opcode{'Q', "BINPERSID", &M::persistent},
    Opcode{'i', "INST", nullptr},
    Opcode{'o', "OBJ", nullptr},
    Opcode{0x92, "NEWOBJ_EX", nullptr},
    Opcode{0x82, "EXT1", nullptr},
    Opcode{0x83, "EXT2", nullptr},
    Opcode{0x84, "EXT4", nullptr},
    Opcode{0x97, "NEXT_BUFFER", nullptr},
    Opcode{0x98, "READONLY_BUFFER", nullptr},
    Opcode{'0', "POP", nullptr},
    Opcode{'1', "POP_MARK", nullptr},
    Opcode{'2', "DUP", nullptr},
    Opcode{'P', "PERSID", nullptr},
    Opcode{'I', "INT", nullptr},
    Opcode{'L', "LONG", nullptr},
    Opcode{'F', "FLOAT", nullptr},
    Opcode{'S', "STRING", nullptr},
    Opcode{'V', "UNICODE", nullptr},
    Opcode{'l', "LIST", nullptr},
    Opcode{'d', "DICT", nullptr},
    Opcode{'g', "GET", nullptr},
    Opcode{'p', "PUT", nullptr},
};

// Opcode byte -> index into kOpcodes, or its size.
constexpr auto kIndexOf = [] {
  std::array<std::size_t, 256> index{};
  index.fill(kOpcodes.size());
  for (std::size_t i = 0; i < kOpcodes.size(); ++i) index[kOpcodes[i].code] = i;
  return index;
}();

constexpr std::size_t kMaxLine = 256;  // bytes of a module's or a function's name

}  // namespace

Result<Pickle> PickleMachine::run() {
  while (!stopped_) {
    const std::size_t at = cursor_.position();
    const auto code = cursor_.read<unsigned char>("an opcode");
    if (!code) {
      return fail(ErrorCode::bad_input, "truncated: ends at byte {} without the opcode STOP", at);
    }
    const std::size_t index = kIndexOf[*code];
    if (index == kOpcodes.size()) {
      return fail(ErrorCode::bad_input, "byte {} holds 0x{:02x}, which is no pickle opcode", at, *code);
    }
    const Opcode& opcode = kOpcodes[index];
    if (opcode.run == nullptr) {
      return fail(ErrorCode::unsupported,
                  "opcode {} at byte {}: torch.save does not write it, and Tern reads tensors only", opcode.name, at);
    }
    if (at == 0 && *code != 0x80) {
      return fail(ErrorCode::unsupported, "begins with opcode {}, expected PROTO: pickle protocol 2 to 5", opcode.name);
    }
    if (auto done = (this->*opcode.run)(); !done) {
      return in_context(fmt::format("{} at byte {}", opcode.name, at), std::move(done).error());
    }
  }
  return std::move(pickle_);
}

Result<void> PickleMachine::protocol() {
  TERN_TRY(const auto version, cursor_.read<std::uint8_t>("the protocol"));
  if (version < 2 || version > 5) {
    return fail(ErrorCode::unsupported, "pickle protocol {}, expected 2 to 5", version);
  }
  return {};
}

// A frame says how many bytes follow it: a help for buffered readers, worth a check.
Result<void> PickleMachine::frame() {
  TERN_TRY(const auto n_bytes, cursor_.read<std::uint64_t>("a frame"));
  if (n_bytes > cursor_.remaining()) {
    return fail(ErrorCode::bad_input, "truncated: a frame of {} bytes, only {} are left", n_bytes, cursor_.remaining());
  }
  return {};
}

Result<void> PickleMachine::stop() {
  TERN_TRY(pickle_.root_, pop());
  if (!stack_.empty() || !marks_.empty()) {
    return fail(ErrorCode::bad_input, "{} values and {} marks are left on the stack, expected none", stack_.size(),
                marks_.size());
  }
  stopped_ = true;
  return {};
}

Result<PickleRef> PickleMachine::add(const PickleValue& value) {
  if (pickle_.values_.size() >= Pickle::kMaxValues) {
    return fail(ErrorCode::unsupported, "more than {} values", Pickle::kMaxValues);
  }
  pickle_.values_.push_back(value);
  return static_cast<PickleRef>(pickle_.values_.size() - 1);
}

Result<void> PickleMachine::push(PickleRef ref) {
  if (stack_.size() >= Pickle::kMaxValues) {
    return fail(ErrorCode::unsupported, "more than {} values on the stack", Pickle::kMaxValues);
  }
  stack_.push_back(ref);
  return {};
}

Result<PickleRef> PickleMachine::pop() {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) {
    return fail(ErrorCode::bad_input, "takes a value from an empty stack");
  }
  const PickleRef ref = stack_.back();
  stack_.pop_back();
  return ref;
}

Result<std::vector<PickleRef>> PickleMachine::pop_to_mark() {
  if (marks_.empty()) return fail(ErrorCode::bad_input, "needs a MARK, but there is none");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<PickleRef> items(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return items;
}

Result<void> PickleMachine::mark() {
  if (marks_.size() >= Pickle::kMaxValues) {
    return fail(ErrorCode::unsupported, "more than {} marks", Pickle::kMaxValues);
  }
  marks_.push_back(stack_.size());
  return {};
}

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

// The one big-endian number of the format.
Result<void> PickleMachine::real() {
  TERN_TRY(const auto stored, cursor_.read<std::uint64_t>("a number"));
  return push_value(std::bit_cast<double>(__builtin_bswap64(stored)));
}

Result<void> PickleMachine::count_items(std::size_t n) {
  n_items_ += n;
  if (n_items_ > Pickle::kMaxItems) {
    return fail(ErrorCode::unsupported, "more than {} items of tuples, lists and dicts", Pickle::kMaxItems);
  }
  return {};
}

Result<void> PickleMachine::make_tuple(std::span<const PickleRef> items) {
  TERN_TRY_DO(count_items(items.size()));
  const PickleTuple tuple{static_cast<std::uint32_t>(pickle_.tuple_items_.size()),
                          static_cast<std::uint32_t>(items.size())};
  pickle_.tuple_items_.insert(pickle_.tuple_items_.end(), items.begin(), items.end());
  return push_value(tuple);
}

template <std::size_t n>
Result<void> PickleMachine::tuple_of() {
  std::array<PickleRef, n> items{};
  for (std::size_t i = n; i-- > 0;) {
    TERN_TRY(items[i], pop());
  }
  return make_tuple(items);
}

Result<void> PickleMachine::tuple() {
  TERN_TRY(const auto items, pop_to_mark());
  return make_tuple(items);
}

Result<void> PickleMachine::empty_list() {
  TERN_TRY_DO(push_value(PickleList{static_cast<std::uint32_t>(pickle_.lists_.size())}));
  pickle_.lists_.emplace_back();
  return {};
}

Result<void> PickleMachine::empty_dict() {
  TERN_TRY_DO(push_value(PickleDict{static_cast<std::uint32_t>(pickle_.dicts_.size())}));
  pickle_.dicts_.emplace_back();
  return {};
}

Result<std::vector<PickleRef>*> PickleMachine::top_list() {
  TERN_TRY(const PickleRef ref, pop());
  TERN_TRY_DO(push(ref));
  const auto* list = std::get_if<PickleList>(&pickle_.values_[ref]);
  if (list == nullptr) return fail(ErrorCode::bad_input, "appends to something that is not a list");
  return &pickle_.lists_[list->index];
}

Result<std::vector<Pickle::Pair>*> PickleMachine::top_dict() {
  TERN_TRY(const PickleRef ref, pop());
  TERN_TRY_DO(push(ref));
  const auto* dict = std::get_if<PickleDict>(&pickle_.values_[ref]);
  if (dict == nullptr) return fail(ErrorCode::bad_input, "sets an item of something that is not a dict");
  return &pickle_.dicts_[dict->index];
}

Result<void> PickleMachine::append() {
  TERN_TRY(const PickleRef item, pop());
  TERN_TRY(auto* list, top_list());
  TERN_TRY_DO(count_items(1));
  list->push_back(item);
  return {};
}

Result<void> PickleMachine::appends() {
  TERN_TRY(const auto items, pop_to_mark());
  TERN_TRY(auto* list, top_list());
  TERN_TRY_DO(count_items(items.size()));
  list->insert(list->end(), items.begin(), items.end());
  return {};
}

Result<void> PickleMachine::frozen_set() {
  TERN_TRY(auto items, pop_to_mark());
  TERN_TRY_DO(count_items(items.size()));
  TERN_TRY_DO(empty_list());
  pickle_.lists_.back() = std::move(items);
  return {};
}

Result<void> PickleMachine::set_item() {
  TERN_TRY(const PickleRef value, pop());
  TERN_TRY(const PickleRef key, pop());
  TERN_TRY(auto* dict, top_dict());
  TERN_TRY_DO(count_items(1));
  dict->emplace_back(key, value);
  return {};
}

Result<void> PickleMachine::set_items() {
  TERN_TRY(const auto items, pop_to_mark());
  if (items.size() % 2 != 0) return fail(ErrorCode::bad_input, "{} keys and values, expected pairs", items.size());
  TERN_TRY(auto* dict, top_dict());
  TERN_TRY_DO(count_items(items.size() / 2));
  for (std::size_t i = 0; i < items.size(); i += 2) dict->emplace_back(items[i], items[i + 1]);
  return {};
}

Result<void> PickleMachine::remember(std::size_t index) {
  // Writers number the places one after the other; a far one would only make us reserve memory.
  if (index >= Pickle::kMaxValues) {
    return fail(ErrorCode::unsupported, "place {} of the memo, expected less than {}", index, Pickle::kMaxValues);
  }
  TERN_TRY(const PickleRef top, pop());
  TERN_TRY_DO(push(top));
  if (index >= memo_.size()) memo_.resize(index + 1);
  if (!memo_[index]) ++n_remembered_;
  memo_[index] = top;
  return {};
}

Result<std::string_view> PickleMachine::take_line() {
  std::size_t n = 0;
  ByteCursor ahead = cursor_;
  for (;; ++n) {
    TERN_TRY(const auto c, ahead.read<char>("a name"));
    if (c == '\n') break;
    if (n == kMaxLine) return fail(ErrorCode::bad_input, "a name longer than {} bytes", kMaxLine);
  }
  TERN_TRY(const auto line, cursor_.take(n + 1, "a name"));
  return as_text(line).substr(0, n);
}

Result<void> PickleMachine::push_global(std::string_view module, std::string_view name) {
  if (!allowed_(module, name)) {
    return fail(ErrorCode::unsupported, "wants to call {}.{}; Tern reads tensors only: save the state_dict alone",
                printable(module), printable(name));
  }
  return push_value(PickleGlobal{module, name});
}

Result<void> PickleMachine::global() {
  TERN_TRY(const auto module, take_line());
  TERN_TRY(const auto name, take_line());
  return push_global(module, name);
}

Result<void> PickleMachine::stack_global() {
  TERN_TRY(const PickleRef name, pop());
  TERN_TRY(const PickleRef module, pop());
  const auto* module_text = std::get_if<std::string_view>(&pickle_.values_[module]);
  const auto* name_text = std::get_if<std::string_view>(&pickle_.values_[name]);
  if (module_text == nullptr || name_text == nullptr) {
    return fail(ErrorCode::bad_input, "a module and a name, expected two texts");
  }
  return push_global(*module_text, *name_text);
}

Result<void> PickleMachine::call() {
  TERN_TRY(const PickleRef arguments, pop());
  TERN_TRY(const PickleRef callee, pop());
  const auto* tuple = std::get_if<PickleTuple>(&pickle_.values_[arguments]);
  const auto* global = std::get_if<PickleGlobal>(&pickle_.values_[callee]);
  if (tuple == nullptr || global == nullptr) {
    return fail(ErrorCode::bad_input, "calls something that is not a name with a tuple of arguments");
  }
  // The one constructor whose result is filled by opcodes that follow.
  if (global->module == "collections" && global->name == "OrderedDict" && tuple->n == 0) return empty_dict();
  return push_value(PickleCall{callee, arguments});
}

// The attributes of an object (OrderedDict._metadata): nothing of a tensor stands there.
Result<void> PickleMachine::build() {
  TERN_TRY_DO(pop());
  TERN_TRY(const PickleRef object, pop());
  return push(object);
}

Result<void> PickleMachine::persistent() {
  TERN_TRY(const PickleRef id, pop());
  return push_value(PicklePersistent{id});
}

Result<Pickle> Pickle::parse(std::span<const std::byte> bytes, Allowed allowed) {
  if (bytes.size() > kMaxBytes) {
    return fail(ErrorCode::unsupported, "a pickle of {} bytes, expected at most {}", bytes.size(), kMaxBytes);
  }
  return PickleMachine(bytes, allowed).run();
}

}  // namespace tern::files
