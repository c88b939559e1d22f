// Implementation of sweep_memory.hpp.
#include "lab/sweep_memory.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/session.hpp"
#include "files/json.hpp"
#include "lab/reencode.hpp"
#include "lab/sweep_speed.hpp"
#include "sys/memory.hpp"

extern char** environ;

namespace tern::lab {
namespace {

// "5" resets VmHWM to what is resident now (proc(5)).
bool reset_peak() {
  const int fd = ::open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool done = ::write(fd, "5", 1) == 1;
  ::close(fd);
  return done;
}

}  // namespace

Result<MemoryReport> measure_here(const std::string& model_path, const formats::Format& format, int n_threads,
                                  const std::string& isa) {
  TERN_TRY(models::ModelFile file, models::ModelFile::open(model_path));
  const TensorView table = *embedding_of(file);
  TERN_TRY(const std::shared_ptr<AlignedBuffer> bytes, bytes_in(table, format, n_threads));
  const files::GgufTensor* stored = file.file().find(table.name);
  TERN_TRY_DO(file.replace(table.name, format, bytes));
  file.file().release(*stored);
  ::malloc_trim(0);
  const bool reset = reset_peak();

  TERN_TRY(auto model, engine::Model::make(std::move(file), {.isa = isa, .n_threads = n_threads}));
  const SpeedProtocol protocol = fitting_protocol(model->parameters().n_ctx_train, n_threads);
  TERN_TRY(const auto session,
           engine::Session::make(model, {.n_threads = n_threads, .n_ctx = protocol.n_prompt + protocol.n_generate}));
  const auto n_vocab = static_cast<std::int32_t>(model->plan().n_vocab());
  std::vector<engine::BatchItem> batch;
  for (std::int32_t i = 0; i < protocol.n_prompt; ++i) batch.push_back({i % n_vocab, i, 0, i + 1 == protocol.n_prompt});
  TERN_TRY_DO(session->decode(batch));
  for (auto i = static_cast<std::int32_t>(protocol.n_prompt); i < protocol.n_prompt + protocol.n_generate; ++i) {
    const engine::BatchItem item{i % n_vocab, i, 0, true};
    TERN_TRY_DO(session->decode({&item, 1}));
  }
  return MemoryReport{.peak_resident = sys::memory_use().peak_resident, .includes_making_it = !reset};
}

std::string to_line(const Result<MemoryReport>& report) {
  nlohmann::ordered_json line;
  if (report) {
    line["peak_memory_bytes"] = report->peak_resident;
    line["includes_making_it"] = report->includes_making_it;
  } else {
    line["error"] = report.error().message;
  }
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

Result<MemoryReport> from_line(std::string_view line) {
  TERN_TRY(const auto value, files::parse_json(std::as_bytes(std::span(line)), "the process that measures memory"));
  if (value.is_object()) {
    if (const auto error = value.find("error"); error != value.end() && error->is_string()) {
      return fail(ErrorCode::bad_input, "{}", error->get_ref<const std::string&>());
    }
    const auto peak = value.find("peak_memory_bytes");
    const auto whole = value.find("includes_making_it");
    if (peak != value.end() && peak->is_number_unsigned() && whole != value.end() && whole->is_boolean()) {
      return MemoryReport{peak->get<std::uint64_t>(), whole->get<bool>()};
    }
  }
  return fail(ErrorCode::internal, "the process that measures memory gave no figure");
}

Result<MemoryReport> child_peak_memory(const std::vector<std::string>& arguments, const Progress& progress) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(ErrorCode::io, "cannot make a pipe: {}", std::strerror(errno));
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::vector<std::string> words{"tern"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t child = -1;
  const int failed = ::posix_spawn(&child, "/proc/self/exe", &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (failed != 0) {
    ::close(ends[0]);
    return fail(ErrorCode::io, "cannot start the process that measures memory: {}", std::strerror(failed));
  }
  std::string line;
  bool stopped = false;
  for (;;) {
    pollfd ready{.fd = ends[0], .events = POLLIN, .revents = 0};
    const int n_ready = ::poll(&ready, 1, 200);
    if (!stopped && progress.cancelled()) {
      ::kill(child, SIGKILL);
      stopped = true;
    }
    if (n_ready <= 0) continue;
    char buffer[4096];
    const ssize_t n = ::read(ends[0], buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0 || line.size() > 65536) break;
    line.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (stopped || progress.cancelled()) return fail(ErrorCode::cancelled, "stopped while measuring memory");
  if (line.empty()) {
    return fail(ErrorCode::internal, "the process that measures memory ended without an answer ({} {})",
                WIFSIGNALED(status) ? "signal" : "exit code",
                WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
  }
  return from_line(line);
}

}  // namespace tern::lab
