// From the values of a torch.save pickle to tensors: which of its dicts is the state dict, and what a call of
// torch's rebuild functions means. Knows storages by name only; where their bytes lie is for the caller to say.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "files/pickle.hpp"
#include "files/stored_tensor.hpp"

namespace tern::files {

/// The names that a pickle of tensors may mention.
[[nodiscard]] bool is_torch_name(std::string_view module, std::string_view name);

/// The bytes of the storage with this key; nullopt when the file has none.
using FindStorage = std::function<std::optional<std::span<const std::byte>>(std::string_view key)>;

struct StateDict {
  std::vector<StoredTensor> tensors;
  std::vector<std::string> notes;  // what else was there
};

/// Takes the dict of tensors at the top, or the one under "state_dict", "model", "module" or "model_state_dict".
/// Errors: no such dict; a tensor whose size, strides, type and storage do not fit together; a name that is there
/// twice.
[[nodiscard]] Result<StateDict> read_state_dict(const Pickle& pickle, const FindStorage& find_storage);

}  // namespace tern::files
