// One tensor of a model in another format, in memory: the file on disk and every other tensor stay as they are.
#pragma once

#include <memory>
#include <string_view>

#include "models/model_file.hpp"
#include "quant/encode_stream.hpp"
#include "tensor/aligned_buffer.hpp"

namespace tern::lab {

struct Reencoded {
  std::shared_ptr<AlignedBuffer> bytes;
  quant::EncodeReport report;  // error against the file's own values
};

/// Encodes `tensor` from its values in the file. Errors: the format cannot hold it (rows that do not divide, not
/// ternary ...).
[[nodiscard]] Result<Reencoded> reencode(const TensorView& tensor, const formats::Format& format, int n_threads);

/// The embedding table of a model (every plan has one).
[[nodiscard]] const TensorView* embedding_of(const models::ModelFile& model);

/// The tensor's bytes in `format`, always a buffer of its own: encoded, or copied where it is in that format already.
[[nodiscard]] Result<std::shared_ptr<AlignedBuffer>> bytes_in(const TensorView& tensor, const formats::Format& format,
                                                              int n_threads);

/// A copy of `model` (sharing its mapping) whose `name` is in `format`; unchanged if it is already.
[[nodiscard]] Result<models::ModelFile> with_tensor_in(const models::ModelFile& model, std::string_view name,
                                                       const formats::Format& format, int n_threads);

}  // namespace tern::lab
