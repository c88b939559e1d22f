#include "train/run/run_log.hpp"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "files/json.hpp"
#include "sys/atomic_file.hpp"
#include "sys/mapped_file.hpp"

namespace tern::train {
namespace {

using Json = nlohmann::ordered_json;
using Read = nlohmann::json;

/// NaN has no spelling in JSON.
Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

double read_number(const Read& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : std::nan("");
}
std::int64_t read_whole(const Read& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}
std::string read_text(const Read& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Json to_json(const StepLine& line) {
  return {{"step", line.step},
          {"tokens", line.tokens},
          {"loss", number(line.loss)},
          {"bits_per_byte", number(line.bits_per_byte)},
          {"learning_rate", line.learning_rate},
          {"weight_decay", line.weight_decay},
          {"lambda", line.lambda},
          {"gradient_norm", number(line.gradient_norm)},
          {"flips", line.flips},
          {"seconds", line.seconds},
          {"share_of_peak", line.share_of_peak}};
}

Json to_json(const ValidationLine& line) {
  Json losses = Json::object();
  for (const SourceLoss& loss : line.losses) {
    losses[loss.source] = {{"nats_per_token", number(loss.nats)},
                           {"bits_per_byte", number(loss.bits_per_byte)},
                           {"tokens", loss.n_tokens}};
  }
  Json matrices = Json::object();
  for (const MatrixLine& matrix : line.matrices) {
    Json& out = matrices[matrix.name];
    if (matrix.codes) {
      out = {{"minus", matrix.codes->minus},
             {"zero", matrix.codes->zero},
             {"plus", matrix.codes->plus},
             {"flips", matrix.codes->flips},
             {"scale", matrix.codes->scale}};
    }
    out["gradient_norm"] = number(matrix.gradient_norm);
  }
  return {{"step", line.step}, {"validation", losses}, {"matrices", matrices}};
}

Json to_json(const SampleLine& line) {
  return {{"step", line.step}, {"prompt", line.prompt}, {"sample", line.text}};
}

ValidationLine read_validation(const Read& object) {
  ValidationLine line;
  line.step = read_whole(object, "step");
  for (const auto& [source, loss] : object["validation"].items()) {
    line.losses.push_back(
        {source, read_number(loss, "nats_per_token"), read_number(loss, "bits_per_byte"), read_whole(loss, "tokens")});
  }
  if (!object.contains("matrices")) return line;
  for (const auto& [name, matrix] : object["matrices"].items()) {
    MatrixLine read{.name = name, .gradient_norm = read_number(matrix, "gradient_norm")};
    if (matrix.contains("scale")) {
      read.codes = {read_number(matrix, "minus"), read_number(matrix, "zero"), read_number(matrix, "plus"),
                    read_whole(matrix, "flips"), static_cast<float>(read_number(matrix, "scale"))};
    }
    line.matrices.push_back(std::move(read));
  }
  return line;
}

StepLine read_step(const Read& object) {
  return {
      read_whole(object, "step"),           read_whole(object, "tokens"),         read_number(object, "loss"),
      read_number(object, "bits_per_byte"), read_number(object, "learning_rate"), read_number(object, "weight_decay"),
      read_number(object, "lambda"),        read_number(object, "gradient_norm"), read_whole(object, "flips"),
      read_number(object, "seconds"),       read_number(object, "share_of_peak")};
}

/// Puts a line of the file where it belongs. False for what is no line of a log, or lies beyond `step`.
bool read_line(std::string_view text, std::int64_t step, RunHistory& history) {
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  const auto parsed = files::parse_json({data, text.size()}, "log");
  if (!parsed || !parsed->is_object() || read_whole(*parsed, "step") > step) return false;
  if (parsed->contains("validation")) {
    if (!(*parsed)["validation"].is_object()) return false;
    history.validations.push_back(read_validation(*parsed));
  } else if (parsed->contains("sample")) {
    history.samples.push_back(
        {read_whole(*parsed, "step"), read_text(*parsed, "prompt"), read_text(*parsed, "sample")});
  } else {
    history.steps.push_back(read_step(*parsed));
  }
  return true;
}

}  // namespace

Result<RunLog> RunLog::open(const std::string& folder, std::int64_t step) {
  RunLog log;
  log.path_ = folder + "/log.jsonl";
  std::error_code error;
  if (std::filesystem::exists(log.path_, error)) {
    std::string kept;
    {
      TERN_TRY(const auto file, sys::MappedFile::open(log.path_));
      std::string_view rest(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
      for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
        const std::string_view line = rest.substr(0, end);
        if (read_line(line, step, log.history_)) kept += fmt::format("{}\n", line);
        rest.remove_prefix(end + 1);
      }
    }
    TERN_TRY_DO(sys::write_file(log.path_, kept, true));
  }
  log.file_.reset(std::fopen(log.path_.c_str(), "ab"));
  if (log.file_ == nullptr) return fail(ErrorCode::io, "{}: cannot be written: {}", log.path_, std::strerror(errno));
  return log;
}

Result<void> RunLog::write(const std::string& line) {
  if (std::fputs(line.c_str(), file_.get()) < 0 || std::fputc('\n', file_.get()) == EOF ||
      std::fflush(file_.get()) != 0) {
    return fail(errno == ENOSPC ? ErrorCode::out_of_space : ErrorCode::io, "{}: cannot be written: {}", path_,
                std::strerror(errno));
  }
  return {};
}

Result<void> RunLog::add(const StepLine& line) {
  history_.steps.push_back(line);
  return write(to_json(line).dump());
}
Result<void> RunLog::add(const ValidationLine& line) {
  history_.validations.push_back(line);
  return write(to_json(line).dump());
}
Result<void> RunLog::add(const SampleLine& line) {
  history_.samples.push_back(line);
  return write(to_json(line).dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace tern::train
