#include "files/pytorch_tensors.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include "base/checked.hpp"
#include "base/words.hpp"

namespace tern::files {
namespace {

struct Name {
  std::string_view module;
  std::string_view name;
  std::optional<Dtype> dtype = {};  // of a storage class or a dtype

  [[nodiscard]] bool is(std::string_view other_module, std::string_view other_name) const {
    return module == other_module && name == other_name;
  }
};

constexpr std::string_view kUtils = "torch._utils";
constexpr std::array kNames{
    // Storages. A UntypedStorage counts bytes; the type then stands in the call.
    Name{"torch", "DoubleStorage", Dtype::f64}, Name{"torch", "FloatStorage", Dtype::f32},
    Name{"torch", "HalfStorage", Dtype::f16}, Name{"torch", "BFloat16Storage", Dtype::bf16},
    Name{"torch", "LongStorage", Dtype::i64}, Name{"torch", "IntStorage", Dtype::i32},
    Name{"torch", "ShortStorage", Dtype::i16}, Name{"torch", "CharStorage", Dtype::i8},
    Name{"torch", "ByteStorage", Dtype::u8}, Name{"torch", "BoolStorage", Dtype::boolean},
    Name{"torch.storage", "UntypedStorage", Dtype::u8}, Name{"torch.storage", "_UntypedStorage", Dtype::u8},
    Name{"torch", "UntypedStorage", Dtype::u8}, Name{"torch", "ComplexFloatStorage"},
    Name{"torch", "ComplexDoubleStorage"}, Name{"torch", "QInt8Storage"}, Name{"torch", "QUInt8Storage"},
    Name{"torch", "QInt32Storage"},
    // Types.
    Name{"torch", "float64", Dtype::f64}, Name{"torch", "float32", Dtype::f32}, Name{"torch", "float16", Dtype::f16},
    Name{"torch", "bfloat16", Dtype::bf16}, Name{"torch", "int64", Dtype::i64}, Name{"torch", "int32", Dtype::i32},
    Name{"torch", "int16", Dtype::i16}, Name{"torch", "int8", Dtype::i8}, Name{"torch", "uint64", Dtype::u64},
    Name{"torch", "uint32", Dtype::u32}, Name{"torch", "uint16", Dtype::u16}, Name{"torch", "uint8", Dtype::u8},
    Name{"torch", "bool", Dtype::boolean}, Name{"torch", "float8_e4m3fn", Dtype::f8_e4m3},
    Name{"torch", "float8_e5m2", Dtype::f8_e5m2}, Name{"torch", "float8_e8m0fnu", Dtype::f8_e8m0},
    // Tensors.
    Name{kUtils, "_rebuild_tensor"}, Name{kUtils, "_rebuild_tensor_v2"}, Name{kUtils, "_rebuild_tensor_v3"},
    Name{kUtils, "_rebuild_parameter"}, Name{kUtils, "_rebuild_parameter_with_state"},
    Name{"torch._tensor", "_rebuild_from_type_v2"}, Name{"torch", "Tensor"}, Name{"torch.nn.parameter", "Parameter"},
    // What stands beside them.
    Name{"collections", "OrderedDict"}, Name{"torch", "Size"}, Name{"torch", "device"}, Name{"builtins", "set"},
    Name{"__builtin__", "set"}, Name{"_codecs", "encode"},  // bytes in protocol 2
};

constexpr std::array<std::string_view, 4> kNests{"state_dict", "model", "module", "model_state_dict"};
constexpr int kMaxWrappers = 4;           // a parameter around a typed tensor around a tensor
constexpr std::size_t kMaxDims = 8;       // as for safetensors
constexpr std::size_t kMaxShownKeys = 8;  // in notes and errors

const Name* find_name(const PickleGlobal& global) {
  const auto* found = std::ranges::find_if(kNames, [&](const Name& n) { return n.is(global.module, global.name); });
  return found == kNames.end() ? nullptr : &*found;
}

class Reader {
 public:
  Reader(const Pickle& pickle, const FindStorage& find_storage) : pickle_(pickle), find_storage_(find_storage) {}

  Result<StateDict> read() {
    TERN_TRY(const PickleDict dict, choose());
    std::set<std::string_view> seen;
    std::vector<std::string_view> others;
    for (const auto& [key, value] : pickle_.items(dict)) {
      const auto* name = pickle_.get<std::string_view>(key);
      if (!is_tensor(value)) {
        others.push_back(name == nullptr ? "a key that is no text" : *name);
        continue;
      }
      if (name == nullptr) return fail(ErrorCode::bad_input, "a tensor's key in the state dict is not a text");
      if (!seen.insert(*name).second) {
        return fail(ErrorCode::bad_input, "tensor {} is there twice, expected once", printable(*name));
      }
      auto tensor = read_tensor(value, kMaxWrappers);
      if (!tensor) return in_context(fmt::format("tensor {}", printable(*name)), std::move(tensor).error());
      tensor->name = *name;
      out_.tensors.push_back(std::move(*tensor));
    }
    note_ignored("the state dict's", others);
    return std::move(out_);
  }

 private:
  // Is this a call of one of torch's rebuild functions? What it says is looked at later.
  [[nodiscard]] bool is_tensor(PickleRef ref) const {
    const auto* call = pickle_.get<PickleCall>(ref);
    const auto* callee = call == nullptr ? nullptr : pickle_.get<PickleGlobal>(call->callee);
    return callee != nullptr && callee->name.starts_with("_rebuild_");
  }

  [[nodiscard]] bool has_tensors(PickleDict dict) const {
    return std::ranges::any_of(pickle_.items(dict), [&](const auto& pair) { return is_tensor(pair.second); });
  }

  // The dict of tensors.
  Result<PickleDict> choose() {
    if (is_tensor(pickle_.root())) {
      return fail(ErrorCode::bad_input, "holds one tensor without a name, expected a state dict (names to tensors)");
    }
    const auto* top = pickle_.get<PickleDict>(pickle_.root());
    if (top == nullptr)
      return fail(ErrorCode::bad_input, "does not hold a dict, expected a state dict (names to tensors)");
    if (has_tensors(*top)) return *top;
    std::vector<std::string_view> keys;
    std::optional<PickleDict> chosen;
    for (const auto& [key, value] : pickle_.items(*top)) {
      const auto* name = pickle_.get<std::string_view>(key);
      const auto* dict = pickle_.get<PickleDict>(value);
      if (name != nullptr && dict != nullptr && !chosen && std::ranges::find(kNests, *name) != kNests.end() &&
          has_tensors(*dict)) {
        chosen = *dict;
        continue;
      }
      keys.push_back(name == nullptr ? "a key that is no text" : *name);
    }
    if (!chosen) {
      return fail(ErrorCode::bad_input,
                  "holds no tensors at its top or under {}, but {}: expected a state dict (names to tensors)",
                  fmt::join(kNests, ", "), keys.empty() ? "nothing" : shown(keys));
    }
    note_ignored("the members", keys);
    return *chosen;
  }

  static std::string shown(const std::vector<std::string_view>& keys) {
    std::string out;
    for (std::size_t i = 0; i < std::min(keys.size(), kMaxShownKeys); ++i) {
      out += (i == 0 ? "" : ", ") + printable(keys[i], 40);
    }
    if (keys.size() > kMaxShownKeys) out += fmt::format(" and {} more", keys.size() - kMaxShownKeys);
    return out;
  }

  void note_ignored(std::string_view where, const std::vector<std::string_view>& keys) {
    if (!keys.empty()) out_.notes.push_back(fmt::format("not read, as they are no tensors: {} {}", where, shown(keys)));
  }

  Result<StoredTensor> read_tensor(PickleRef ref, int wrappers) const {
    const auto* call = pickle_.get<PickleCall>(ref);
    const auto* callee = call == nullptr ? nullptr : pickle_.get<PickleGlobal>(call->callee);
    if (callee == nullptr) return fail(ErrorCode::bad_input, "is not made by one of torch's functions");
    return rebuild(*callee, pickle_.items(*pickle_.get<PickleTuple>(call->arguments)), wrappers);
  }

  Result<StoredTensor> rebuild(const PickleGlobal& callee, std::span<const PickleRef> arguments, int wrappers) const {
    const std::string_view function = callee.name;
    const auto needs = [&](std::size_t n) -> Result<void> {
      if (arguments.size() >= n) return {};
      return fail(ErrorCode::bad_input, "{} with {} arguments, expected at least {}", function, arguments.size(), n);
    };
    if (wrappers == 0) return fail(ErrorCode::bad_input, "is wrapped more than {} times", kMaxWrappers);
    if (function == "_rebuild_parameter" || function == "_rebuild_parameter_with_state") {
      TERN_TRY_DO(needs(1));
      return read_tensor(arguments[0], wrappers - 1);
    }
    if (function == "_rebuild_from_type_v2") {  // (function, type, its arguments, state)
      TERN_TRY_DO(needs(3));
      const auto* inner = pickle_.get<PickleGlobal>(arguments[0]);
      const auto* inner_arguments = pickle_.get<PickleTuple>(arguments[2]);
      if (inner == nullptr || inner_arguments == nullptr) {
        return fail(ErrorCode::bad_input, "{} without a function and its arguments", function);
      }
      return rebuild(*inner, pickle_.items(*inner_arguments), wrappers - 1);
    }
    if (function == "_rebuild_tensor_v3") {  // (storage, offset, size, stride, requires_grad, hooks, dtype)
      TERN_TRY_DO(needs(7));
      const auto* global = pickle_.get<PickleGlobal>(arguments[6]);
      const Name* type = global == nullptr ? nullptr : find_name(*global);
      if (type == nullptr || !type->dtype) return fail(ErrorCode::unsupported, "its dtype is not one that Tern knows");
      return view_of(arguments, type->dtype);
    }
    if (function == "_rebuild_tensor" || function == "_rebuild_tensor_v2") {  // (storage, offset, size, stride, ...)
      TERN_TRY_DO(needs(4));
      return view_of(arguments, std::nullopt);
    }
    return fail(ErrorCode::bad_input, "is made by {}.{}, which makes no tensor", printable(callee.module),
                printable(function));
  }

  struct Storage {
    Dtype dtype;
    std::span<const std::byte> bytes;
  };

  // ("storage", class, key, location, number of elements)
  Result<Storage> read_storage(PickleRef ref) const {
    const auto* persistent = pickle_.get<PicklePersistent>(ref);
    const auto* tuple = persistent == nullptr ? nullptr : pickle_.get<PickleTuple>(persistent->id);
    if (tuple == nullptr || tuple->n != 5)
      return fail(ErrorCode::bad_input, "its storage is not described as torch does");
    const auto parts = pickle_.items(*tuple);
    const auto* kind = pickle_.get<std::string_view>(parts[0]);
    const auto* type = pickle_.get<PickleGlobal>(parts[1]);
    const auto* key = pickle_.get<std::string_view>(parts[2]);
    const auto* n_elements = pickle_.get<std::int64_t>(parts[4]);
    const Name* known = type == nullptr ? nullptr : find_name(*type);
    if (kind == nullptr || *kind != "storage" || known == nullptr || key == nullptr || n_elements == nullptr) {
      return fail(ErrorCode::bad_input, "its storage is not described as torch does");
    }
    if (!known->dtype) {
      return fail(ErrorCode::unsupported,
                  "its storage is a {}.{}, expected one of plain numbers (float, half, int, ...)", known->module,
                  known->name);
    }
    const auto found = find_storage_(*key);
    if (!found) return fail(ErrorCode::bad_input, "its storage data/{} is missing in the file", printable(*key));
    const auto wanted = *n_elements < 0
                            ? std::nullopt
                            : checked_mul(static_cast<std::uint64_t>(*n_elements), dtype_bytes(*known->dtype));
    if (!wanted || *wanted > found->size()) {
      return fail(ErrorCode::bad_input, "its storage data/{} should hold {} elements ({}) but has {} bytes",
                  printable(*key), *n_elements, dtype_name(*known->dtype), found->size());
    }
    return Storage{*known->dtype, found->first(static_cast<std::size_t>(*wanted))};
  }

  // A tuple of integers, or torch.Size of one.
  Result<std::vector<std::int64_t>> integers(PickleRef ref, std::string_view what) const {
    if (const auto* call = pickle_.get<PickleCall>(ref)) {
      const auto arguments = pickle_.items(*pickle_.get<PickleTuple>(call->arguments));
      if (pickle_.get<PickleGlobal>(call->callee)->name == "Size" && arguments.size() == 1) ref = arguments[0];
    }
    const auto* tuple = pickle_.get<PickleTuple>(ref);
    if (tuple == nullptr) return fail(ErrorCode::bad_input, "its {} is not a tuple of integers", what);
    if (tuple->n > kMaxDims) {
      return fail(ErrorCode::unsupported, "{} dimensions, expected at most {}", tuple->n, kMaxDims);
    }
    std::vector<std::int64_t> out;
    for (const PickleRef item : pickle_.items(*tuple)) {
      const auto* value = pickle_.get<std::int64_t>(item);
      if (value == nullptr || *value < 0) {
        return fail(ErrorCode::bad_input, "its {} holds {}, expected integers of at least 0", what,
                    value == nullptr ? "something else" : fmt::format("{}", *value));
      }
      out.push_back(*value);
    }
    return out;
  }

  // `dtype`: of a storage that does not say it itself.
  Result<StoredTensor> view_of(std::span<const PickleRef> arguments, std::optional<Dtype> dtype) const {
    TERN_TRY(const Storage storage, read_storage(arguments[0]));
    StoredTensor tensor;
    tensor.dtype = dtype.value_or(storage.dtype);
    const auto* offset = pickle_.get<std::int64_t>(arguments[1]);
    if (offset == nullptr || *offset < 0)
      return fail(ErrorCode::bad_input, "its storage offset is not a number from 0");
    TERN_TRY(tensor.shape, integers(arguments[2], "size"));
    TERN_TRY(std::vector<std::int64_t> strides, integers(arguments[3], "stride"));
    if (strides.size() != tensor.shape.size()) {
      return fail(ErrorCode::bad_input, "{} sizes and {} strides, expected as many", tensor.shape.size(),
                  strides.size());
    }
    TERN_TRY(const std::int64_t reach, reach_of(tensor.shape, strides));
    const std::uint64_t n_bytes = dtype_bytes(tensor.dtype);
    const std::uint64_t available = storage.bytes.size() / n_bytes;
    const auto begin = static_cast<std::uint64_t>(*offset);
    if (begin > available || static_cast<std::uint64_t>(reach) > available - begin) {
      return fail(ErrorCode::bad_input,
                  "{} with strides [{}] needs {} elements from element {} of its storage, which has {}",
                  tensor.shape_text(), fmt::join(strides, ", "), reach, begin, available);
    }
    // An expanded view (stride 0) repeats what is stored; it could make any size out of one number.
    if (static_cast<std::uint64_t>(tensor.n_elements()) > available) {
      return fail(ErrorCode::unsupported, "{} repeats a storage of {} elements; save it with .contiguous()",
                  tensor.shape_text(), available);
    }
    tensor.bytes = storage.bytes.subspan(static_cast<std::size_t>(begin * n_bytes),
                                         static_cast<std::size_t>(static_cast<std::uint64_t>(reach) * n_bytes));
    if (!is_row_major(tensor.shape, strides)) tensor.strides = std::move(strides);
    return tensor;
  }

  // Elements from the first to the last one, both counted. The product of the sizes is checked on the way.
  static Result<std::int64_t> reach_of(const std::vector<std::int64_t>& shape,
                                       const std::vector<std::int64_t>& strides) {
    std::int64_t n_elements = 1;
    for (const std::int64_t extent : shape) {
      const auto product = checked_mul(n_elements, extent);
      if (!product) return fail(ErrorCode::bad_input, "the product of its size does not fit in 63 bits");
      n_elements = *product;
    }
    if (n_elements == 0) return 0;
    std::int64_t last = 0;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      const auto step = checked_mul(shape[i] - 1, strides[i]);
      const auto sum = step ? checked_add(last, *step) : std::nullopt;
      if (!sum || *sum == std::numeric_limits<std::int64_t>::max()) {
        return fail(ErrorCode::bad_input, "its size times its strides does not fit in 63 bits");
      }
      last = *sum;
    }
    return last + 1;
  }

  static bool is_row_major(const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides) {
    if (std::ranges::find(shape, 0) != shape.end()) return true;
    std::int64_t expected = 1;
    for (std::size_t i = shape.size(); i-- > 0;) {
      if (shape[i] != 1 && strides[i] != expected) return false;
      expected *= shape[i];
    }
    return true;
  }

  const Pickle& pickle_;
  const FindStorage& find_storage_;
  StateDict out_;
};

}  // namespace

bool is_torch_name(std::string_view module, std::string_view name) {
  return find_name({module, name}) != nullptr;
}

Result<StateDict> read_state_dict(const Pickle& pickle, const FindStorage& find_storage) {
  return Reader(pickle, find_storage).read();
}

}  // namespace tern::files
