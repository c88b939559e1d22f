// Models for tests: real folders converted once into a temporary folder, sessions and logits in one call.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "convert/convert.hpp"
#include "engine/session.hpp"
#include "files/json.hpp"
#include "formats/all.hpp"
#include "sys/mapped_file.hpp"
#include "tests/support/data.hpp"

namespace tern::test {

/// Unwraps a Result or fails the test with its message.
template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}
inline void must(Result<void> result) {
  if (!result) throw std::runtime_error(result.error().message);
}

/// Converts `source` (a path) to `folder`/`name`.gguf. outtype "" is auto.
inline std::string converted(const TemporaryFolder& folder, const std::string& source, const std::string& name,
                             const std::string& outtype = "", const std::string& tokenizer = "") {
  Progress quiet;
  convert::ConvertOptions options;
  options.source = source;
  options.outfile = folder.file(name + ".gguf");
  options.outtype = outtype.empty() ? nullptr : must(formats::by_name(outtype));
  options.tokenizer = tokenizer;
  options.write.overwrite = true;
  must(convert::convert(options, quiet));
  return options.outfile;
}

inline std::shared_ptr<const engine::Model> load(const std::string& path, const std::string& isa = "") {
  return must(engine::Model::load(path, {.isa = isa}));
}

/// Logits [ids.size() * n_vocab] of one sequence, computed in batches of the given sizes (the last one repeats).
inline std::vector<float> logits_of(const std::shared_ptr<const engine::Model>& model,
                                    const std::vector<std::int32_t>& ids, const engine::SessionOptions& options,
                                    const std::vector<std::size_t>& batch_sizes) {
  auto session = must(engine::Session::make(model, options));
  std::vector<float> out;
  std::size_t at = 0;
  for (std::size_t step = 0; at < ids.size(); ++step) {
    const std::size_t n = std::min(batch_sizes[std::min(step, batch_sizes.size() - 1)], ids.size() - at);
    std::vector<engine::BatchItem> batch;
    for (std::size_t i = at; i < at + n; ++i) batch.push_back({ids[i], static_cast<std::int32_t>(i), 0, true});
    must(session->decode(batch));
    for (std::size_t i = 0; i < n; ++i) {
      const auto row = session->logits(i);
      out.insert(out.end(), row.begin(), row.end());
    }
    at += n;
  }
  return out;
}

inline nlohmann::json read_json(const std::string& path) {
  const auto file = must(sys::MappedFile::open(path));
  return must(files::parse_json(file.bytes(), path));
}

}  // namespace tern::test
