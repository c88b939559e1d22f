// Runs a program and says how it ended: exit code or signal, what it wrote, how long it took and what memory it had.
#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/data.hpp"

namespace tern::test {

/// Sanitizers multiply time and memory; bounds on them are for the program people get.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kMeasuresPrograms = false;
#else
inline constexpr bool kMeasuresPrograms = true;
#endif

struct Ended {
  int exit_code = -1;  // -1 when a signal ended it
  int signal = 0;
  bool timed_out = false;
  std::string out;
  std::string err;
  double seconds = 0.0;
  double cpu_seconds = 0.0;  // of all its threads: what a busy machine does not stretch
  // Bytes, with mapped files. Unless watch_memory no less than what this test program itself had when it forked: the
  // kernel counts that in.
  std::uint64_t peak_resident = 0;
  std::uint64_t peak_anonymous = 0;  // bytes of RssAnon, the most that was seen while it ran; needs watch_memory
};

struct RunOptions {
  std::string folder = ".";  // where it runs
  double timeout_seconds = 120.0;
  bool watch_memory = false;             // poll /proc/PID/status every millisecond
  int interrupt_after_ms = -1;           // send SIGINT then
  std::function<bool()> kill_when = {};  // asked every millisecond; true: SIGKILL, and timed_out is set
};

inline std::string whole_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Keeps the most of what /proc says of a process in `ended`.
inline void watch(pid_t pid, Ended& ended) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  std::string line;
  const auto keep = [&](const std::string& key, std::uint64_t& most) {
    if (line.starts_with(key)) most = std::max<std::uint64_t>(most, std::stoull(line.substr(key.size())) * 1024);
  };
  while (std::getline(status, line)) {
    keep("VmHWM:", ended.peak_resident);
    keep("RssAnon:", ended.peak_anonymous);
  }
}

/// words[0] is the program's path. Its standard input is empty.
inline Ended run_program(const std::vector<std::string>& words, const RunOptions& options = {}) {
  const TemporaryFolder folder;
  const std::string out = folder.file("out");
  const std::string err = folder.file("err");
  const auto started = std::chrono::steady_clock::now();
  int running[2] = {-1, -1};  // a pipe that closes when the program takes the place of this one
  if (::pipe2(running, O_CLOEXEC) != 0) return {};
  const pid_t pid = ::fork();
  if (pid == 0) {
    const auto redirect = [](const char* path, int flags, int to) { ::dup2(::open(path, flags, 0600), to); };
    redirect("/dev/null", O_RDONLY, STDIN_FILENO);
    redirect(out.c_str(), O_WRONLY | O_CREAT, STDOUT_FILENO);
    redirect(err.c_str(), O_WRONLY | O_CREAT, STDERR_FILENO);
    if (::chdir(options.folder.c_str()) != 0) ::_exit(127);
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  ::close(running[1]);
  char none = 0;
  while (::read(running[0], &none, 1) < 0 && errno == EINTR) {
  }
  ::close(running[0]);
  Ended ended;
  int status = 0;
  rusage usage{};
  bool interrupted = false;
  for (;;) {
    if (options.watch_memory) watch(pid, ended);
    const pid_t done = ::wait4(pid, &status, WNOHANG, &usage);
    ended.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    if (done == pid) break;
    if (options.interrupt_after_ms >= 0 && !interrupted && ended.seconds * 1000.0 > options.interrupt_after_ms) {
      ::kill(pid, SIGINT);
      interrupted = true;
    }
    if (ended.seconds > options.timeout_seconds || (options.kill_when && options.kill_when())) {
      ended.timed_out = true;
      ::kill(pid, SIGKILL);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (WIFEXITED(status)) ended.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
  const auto in_seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  ended.cpu_seconds = in_seconds(usage.ru_utime) + in_seconds(usage.ru_stime);
  if (!options.watch_memory) ended.peak_resident = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  ended.out = whole_file(out);
  ended.err = whole_file(err);
  return ended;
}

/// The program tern with these arguments.
inline Ended run_tern(std::vector<std::string> arguments, const RunOptions& options = {}) {
  arguments.insert(arguments.begin(), TERN_PROGRAM);
  return run_program(arguments, options);
}

}  // namespace tern::test
