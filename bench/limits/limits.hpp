// What this machine can do at most: bytes read from memory per second, multiply-adds and look-ups per second, each for
// a number of threads. A yardstick for programs that must name the limit they run against; it shares no code with any
// of them, so that a mistake of theirs cannot move it. The one idea: machines are shared, so a limit is the best of
// many short bursts (2 to 20 ms each), all threads started together, timed from the first thread's start to the last
// one's end. The median stands beside it: where the two lie far apart, the machine was busy. What a burst did is
// checked: bytes by their sum, instructions by their operands (tests). Linux. On processors other than x86-64 only the
// reading of memory is measured.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace limits {

/// One thing that can be measured.
struct Quantity {
  std::string_view id;     // for options and files: "read_huge"
  std::string_view name;   // for people
  std::string_view unit;   // of best and median: "GB/s" (1e9 bytes), "GMAC/s" (one multiply-add is 1), "G/s" (look-ups)
  std::string_view needs;  // what the processor must have: "AVX-512 VNNI"; empty: nothing beyond the ordinary
  bool available;          // this processor and this kernel have it
};

/// All of them, in the order of the table in quantities.cpp.
std::vector<Quantity> quantities();

/// A buffer smaller than this may sit in a cache, and is refused unless that is what was asked for.
constexpr std::size_t kMinBufferBytes = 1'000'000'000;

struct Options {
  double seconds = 1;  // of bursts; preparing the memory comes on top
  std::size_t buffer_bytes =
      0;  // what the reading goes round in, shared out among the threads; 0: default_buffer_bytes()
  bool allow_cache_sizes = false;  // take a smaller buffer too: the speed of a cache
  std::string folder = {};         // where the file of "read_file" is put (and unlinked at once); empty: the system's
};

/// Four times all last-level caches, at most a third of the free memory, and never less than kMinBufferBytes.
std::size_t default_buffer_bytes();

/// One way of getting at the quantity (a loop), as it did.
struct Attempt {
  std::string_view loop;
  double best, median;
  int n_bursts;
};

struct Measured {
  double best;                          // the fastest burst of the fastest loop
  double median;                        // of that loop's bursts
  int n_bursts;                         // of that loop
  std::string note;                     // which loop that was, what the pages really were
  std::optional<double> in_huge_pages;  // share of the buffer that was in 2 MiB pages, 0 to 1; memory only
  std::vector<Attempt> attempts;        // every loop, fastest first
};

/// Measures one quantity with n_threads threads of its own. Takes about options.seconds, and for memory the time to
/// fill the buffer. Errors, one line each: unknown id, not available here, buffer too small or larger than the free
/// memory, no room for the file, threads that cannot be started, a loop whose sum is wrong.
std::expected<Measured, std::string> measure(std::string_view id, int n_threads, const Options& options = {});

}  // namespace limits
