#include "lab/reencode.hpp"

#include <algorithm>
#include <cstring>

#include "base/words.hpp"
#include "sys/memory.hpp"

namespace tern::lab {

Result<Reencoded> reencode(const TensorView& tensor, const formats::Format& format, int n_threads) {
  TERN_TRY(const std::uint64_t n_bytes, formats::tensor_bytes(format, tensor.shape));
  if (const std::uint64_t available = sys::available_memory(); n_bytes > available) {
    return fail(ErrorCode::out_of_memory, "tensor {} in {} takes {}, but only {} of memory are free", tensor.name,
                format.name, human_bytes(n_bytes), human_bytes(available));
  }
  Reencoded out{std::make_shared<AlignedBuffer>(n_bytes), {}};
  sys::ThreadPool pool(n_threads);
  std::size_t at = 0;
  TERN_TRY_DO(quant::encode_stream(
      format, tensor.name, tensor.shape,
      [&](std::int64_t first, std::int64_t n_rows, std::span<float> values) {
        return formats::decode_rows(*tensor.format, tensor.shape, tensor.bytes, first, n_rows, values);
      },
      [&](std::span<const std::byte> bytes) -> Result<void> {
        std::memcpy(out.bytes->data() + at, bytes.data(), bytes.size());
        at += bytes.size();
        return {};
      },
      pool, [](std::int64_t) { return true; }, &out.report));
  return out;
}

const TensorView* embedding_of(const models::ModelFile& model) {
  const auto& specs = model.plan().tensors;
  const auto found = std::ranges::find(specs, models::TensorRole::embedding, &models::TensorSpec::role);
  TERN_CHECK(found != specs.end());
  const TensorView* view = model.tensor(static_cast<models::TensorId>(found - specs.begin()));
  TERN_CHECK(view != nullptr);
  return view;
}

Result<std::shared_ptr<AlignedBuffer>> bytes_in(const TensorView& tensor, const formats::Format& format,
                                                int n_threads) {
  if (tensor.format != &format) {
    TERN_TRY(Reencoded encoded, reencode(tensor, format, n_threads));
    return std::move(encoded.bytes);
  }
  auto copy = std::make_shared<AlignedBuffer>(tensor.bytes.size());
  std::ranges::copy(tensor.bytes, copy->data());
  return copy;
}

Result<models::ModelFile> with_tensor_in(const models::ModelFile& model, std::string_view name,
                                         const formats::Format& format, int n_threads) {
  const TensorView* tensor = model.tensor(name);
  if (tensor == nullptr) return fail(ErrorCode::not_found, "no tensor {} in this model", name);
  models::ModelFile copy = model;
  if (tensor->format == &format) return copy;
  TERN_TRY(const Reencoded encoded, reencode(*tensor, format, n_threads));
  TERN_TRY_DO(copy.replace(name, format, encoded.bytes));
  return copy;
}

}  // namespace tern::lab
