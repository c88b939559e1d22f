#include "convert/write_gguf.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "files/gguf_set_writer.hpp"
#include "sys/clock.hpp"
#include "sys/thread_pool.hpp"

namespace tern::convert {
namespace {

// general.file_type: what most of the weights are.
std::int32_t file_type_of(const std::vector<TensorJob>& jobs) {
  std::map<const formats::Format*, std::int64_t> values;
  for (const TensorJob& job : jobs) {
    if (!job.shape.is_vector() && job.name != "token_embd.weight" && job.name != "output.weight") {
      values[job.format] += job.shape.n_elements();
    }
  }
  std::int32_t type = 0;
  std::int64_t most = 0;
  for (const auto& [format, n] : values) {
    if (n > most || (n == most && format->file_type < type)) {
      most = n;
      type = format->file_type;
    }
  }
  return type;
}

Result<void> write_tensors(files::GgufSetWriter& writer, const std::vector<TensorJob>& jobs,
                           const WriteOptions& options, Progress& progress, WriteReport& report) {
  sys::ThreadPool pool(options.n_threads);
  std::uint64_t total = 0;
  for (const TensorJob& job : jobs) total += static_cast<std::uint64_t>(job.shape.n_elements());
  std::uint64_t done = 0;
  progress.begin("writing", total);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const TensorJob& job = jobs[i];
    const auto advance = [&](std::int64_t n_rows) {
      done += static_cast<std::uint64_t>(n_rows * job.shape.row_length());
      progress.update(done, job.name);
      return !progress.cancelled();
    };
    TERN_TRY_DO(writer.begin_tensor(i));
    if (job.read == nullptr) {
      constexpr std::size_t kPiece = std::size_t{1} << 22;
      for (std::size_t at = 0; at < job.copy.size(); at += kPiece) {
        TERN_TRY_DO(writer.write(job.copy.subspan(at, std::min(kPiece, job.copy.size() - at))));
        if (progress.cancelled())
          return fail(ErrorCode::cancelled, "stopped at tensor {}; nothing was written", job.name);
      }
      static_cast<void>(advance(job.shape.n_rows()));
    } else {
      quant::EncodeReport measured;
      TERN_TRY_DO(quant::encode_stream(
          *job.format, job.name, job.shape, job.read,
          [&](std::span<const std::byte> bytes) { return writer.write(bytes); }, pool, advance,
          job.measure ? &measured : nullptr));
      const double error = std::sqrt(measured.relative_mse());
      if (job.measure && (error > report.worst_relative_error || report.worst_tensor.empty())) {
        report.worst_relative_error = error;
        report.worst_tensor = job.name;
      }
    }
    TERN_TRY_DO(writer.end_tensor());
    if (job.done) job.done();
  }
  if (progress.cancelled()) return fail(ErrorCode::cancelled, "stopped; nothing was written");
  TERN_TRY_DO(writer.commit());
  progress.end();
  return {};
}

}  // namespace

Result<files::GgufLayout> plan_layout(files::Metadata metadata, const std::vector<TensorJob>& jobs) {
  files::GgufLayout layout;
  layout.metadata = std::move(metadata);
  const std::int32_t file_type = file_type_of(jobs);
  if (file_type >= 0) {
    layout.metadata.set("general.file_type", static_cast<std::uint32_t>(file_type));
  } else {
    layout.metadata.erase("general.file_type");  // the source's would be wrong
  }
  layout.metadata.set("general.quantization_version", std::uint32_t{2});
  for (const TensorJob& job : jobs) {
    TERN_TRY_DO(layout.add_tensor(job.name, job.shape, *job.format));
  }
  return layout;
}

std::string ternary_note(const WriteReport& report) {
  if (report.worst_tensor.empty()) return {};
  if (report.worst_relative_error == 0.0) return "ternary weights: kept exactly, scales included";
  if (report.worst_relative_error < 0.01) {
    return fmt::format(
        "ternary weights: scales rounded to fp16, relative error {:.3g} at most ({}); I2_S keeps them exact",
        report.worst_relative_error, report.worst_tensor);
  }
  return fmt::format(
      "warning: these weights were not made for so few values: relative error {:.3g} at worst ({}); the model will "
      "suffer",
      report.worst_relative_error, report.worst_tensor);
}

Result<WriteReport> write_gguf(const std::string& path, files::GgufLayout layout, const std::vector<TensorJob>& jobs,
                               const WriteOptions& options, Progress& progress) {
  std::vector<files::PlannedPart> parts;
  parts.push_back({path, std::move(layout)});
  return write_gguf_parts(std::move(parts), jobs, options, progress);
}

Result<WriteReport> write_gguf_parts(std::vector<files::PlannedPart> parts, const std::vector<TensorJob>& jobs,
                                     const WriteOptions& options, Progress& progress) {
  const sys::Stopwatch clock;
  WriteReport report;
  for (const files::PlannedPart& part : parts) {
    TERN_TRY(const std::uint64_t n_bytes, part.layout.file_bytes());
    report.file_bytes += n_bytes;
  }
  TERN_TRY(files::GgufSetWriter writer, files::GgufSetWriter::create(std::move(parts), options.overwrite));
  TERN_TRY_DO(write_tensors(writer, jobs, options, progress, report));
  report.seconds = clock.seconds();
  return report;
}

}  // namespace tern::convert
