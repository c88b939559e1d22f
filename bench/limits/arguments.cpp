// See arguments.hpp.
#include "arguments.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>
#include <thread>

namespace limits {

namespace {

constexpr int kMostThreads = 4096;
constexpr double kMostSeconds = 3600;

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  for (std::size_t comma = 0; comma != list.npos; list.remove_prefix(comma == list.npos ? 0 : comma + 1)) {
    comma = list.find(',');
    parts.emplace_back(list.substr(0, comma));
  }
  return parts;
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number n{};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), n);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  return n;
}

/// 1073741824, 1048576K, 1024M or 1G.
std::optional<std::size_t> bytes(std::string_view text) {
  int shift = 0;
  if (!text.empty()) {
    const char last = text.back();
    shift = last == 'K' ? 10 : last == 'M' ? 20 : last == 'G' ? 30 : 0;
    if (shift != 0) text.remove_suffix(1);
  }
  const auto n = number<std::size_t>(text);
  if (!n || *n == 0 || *n > SIZE_MAX / 2 >> shift) return std::nullopt;
  return *n << shift;
}

std::string wrong(const std::string& option, const std::string& value, const std::string& wanted) {
  return option + " wants " + wanted + ", not '" + value + "'";
}

/// Puts one option's value where it belongs; empty, or what is wrong.
std::string take(const std::string& option, const std::string& value, Arguments& arguments) {
  if (option == "-t" || option == "--threads") {
    arguments.threads.clear();
    for (const std::string& part : split(value)) {
      const auto n = number<int>(part);
      if (!n || *n < 1 || *n > kMostThreads) {
        return wrong(option, part,
                     "numbers of threads, 1 to " + std::to_string(kMostThreads) + ", with commas between");
      }
      arguments.threads.push_back(*n);
    }
  } else if (option == "--seconds") {
    const auto n = number<double>(value);
    if (!n || !std::isfinite(*n) || *n <= 0 || *n > kMostSeconds)
      return wrong(option, value, "seconds above 0, at most 3600");
    arguments.options.seconds = *n;
  } else if (option == "--bytes") {
    const auto n = bytes(value);
    if (!n) return wrong(option, value, "a number of bytes, or of KiB, MiB or GiB with K, M or G after it");
    arguments.options.buffer_bytes = *n;
  } else if (option == "--folder") {
    arguments.options.folder = value;
  } else {
    arguments.only = split(value);
    std::string known;
    for (const Quantity& q : quantities()) known += (known.empty() ? "" : ", ") + std::string(q.id);
    for (const std::string& id : arguments.only) {
      const auto all = quantities();
      if (std::none_of(all.begin(), all.end(), [&](const Quantity& q) { return q.id == id; })) {
        return wrong(option, id, "some of " + known);
      }
    }
  }
  return {};
}

}  // namespace

std::expected<Arguments, std::string> read_arguments(const std::vector<std::string>& words) {
  static constexpr std::string_view kValued[] = {"-t", "--threads", "--seconds", "--bytes", "--folder", "--only"};
  Arguments arguments;
  const int n_cpus = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  arguments.threads = n_cpus > 1 ? std::vector{1, n_cpus} : std::vector{1};
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string option = words[i];
    std::optional<std::string> value;
    if (const std::size_t equals = option.find('='); option.starts_with("--") && equals != option.npos) {
      value = option.substr(equals + 1);
      option.resize(equals);
    }
    if (std::find(std::begin(kValued), std::end(kValued), option) != std::end(kValued)) {
      if (!value && ++i < words.size()) value = words[i];
      if (!value) return std::unexpected(option + " wants a value");
      if (std::string error = take(option, *value, arguments); !error.empty()) return std::unexpected(std::move(error));
    } else if (value) {
      return std::unexpected(option + " takes no value, or is no option; --help lists them");
    } else if (option == "--json") {
      arguments.json = true;
    } else if (option == "--cache") {
      arguments.options.allow_cache_sizes = true;
    } else if (option == "-h" || option == "--help") {
      arguments.help = true;
    } else {
      return std::unexpected("'" + option + "' is no option; --help lists them");
    }
  }
  const Options& o = arguments.options;
  if (o.buffer_bytes != 0 && o.buffer_bytes < kMinBufferBytes && !o.allow_cache_sizes) {
    return std::unexpected("--bytes " + std::to_string(o.buffer_bytes) + " may sit in a cache: at least " +
                           std::to_string(kMinBufferBytes) + ", or add --cache to measure one");
  }
  return arguments;
}

const char* usage() {
  return "usage: tern_limits [options]\n"
         "What this machine can do at most: reading memory, multiply-adds, look-ups.\n"
         "The best of many bursts of a few milliseconds each, and their median: far apart, the machine was busy.\n\n"
         "  -t, --threads 1,2  with how many threads (1 and all processors)\n"
         "  --seconds S        of bursts for each figure (1)\n"
         "  --only ID,...      these quantities alone\n"
         "  --bytes N          the memory that is read, K, M or G for KiB, MiB, GiB (four times the caches, at least 1 "
         "GB)\n"
         "  --cache            let --bytes be less than 1 GB: the speed of a cache\n"
         "  --folder DIR       where the file that is read is put while it is needed (the system's temporary folder)\n"
         "  --json             as JSON, with every loop's figures\n"
         "  -h, --help         this text\n";
}

}  // namespace limits
