#include "files/pickle_machine.hpp"

#include <bit>

#include "base/words.hpp"

namespace tern::files {
namespace {

constexpr std::size_t kMaxLine = 256;  // bytes of a module's or a function's name

}  // namespace

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

}  // namespace tern::files
