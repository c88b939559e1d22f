// The program tern_limits: the library's figures as a table or as JSON. Exit status 0; 1 if a figure could not be had
// although the machine has what it needs; 2 for options that make no sense.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <expected>
#include <fstream>
#include <string>
#include <vector>

#include "arguments.hpp"
#include "limits.hpp"

namespace {

using limits::Arguments;
using limits::Attempt;
using limits::Measured;
using limits::Quantity;

struct Row {
  Quantity quantity;
  std::vector<std::expected<Measured, std::string>> measured;  // for each number of threads; empty: not available
};

std::string cpu_name() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != line.npos) return line.substr(colon + 2);
  }
  return "unknown processor";
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string json(const Measured& m, int n_threads) {
  std::string loops;
  for (const Attempt& a : m.attempts) {
    loops += fmt::format("{}{{\"loop\": {}, \"best\": {:.4g}, \"median\": {:.4g}, \"bursts\": {}}}",
                         loops.empty() ? "" : ", ", quoted(a.loop), a.best, a.median, a.n_bursts);
  }
  return fmt::format(
      "{{\"threads\": {}, \"best\": {:.4g}, \"median\": {:.4g}, \"bursts\": {}, \"note\": {}, {}\"loops\": [{}]}}",
      n_threads, m.best, m.median, m.n_bursts, quoted(m.note),
      m.in_huge_pages ? fmt::format("\"in_huge_pages\": {:.3f}, ", *m.in_huge_pages) : "", loops);
}

void print_json(const std::vector<Row>& rows, const Arguments& arguments, std::size_t bytes) {
  fmt::print("{{\"cpu\": {}, \"buffer_bytes\": {}, \"seconds\": {}, \"quantities\": [", quoted(cpu_name()), bytes,
             arguments.options.seconds);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const Quantity& q = rows[r].quantity;
    fmt::print("{}\n  {{\"id\": {}, \"name\": {}, \"unit\": {}, \"needs\": {}, \"available\": {}, \"measured\": [",
               r == 0 ? "" : ",", quoted(q.id), quoted(q.name), quoted(q.unit), quoted(q.needs), q.available);
    for (std::size_t t = 0; t < rows[r].measured.size(); ++t) {
      const auto& m = rows[r].measured[t];
      const int n_threads = arguments.threads[t];
      fmt::print(
          "{}\n    {}", t == 0 ? "" : ",",
          m ? json(*m, n_threads) : fmt::format("{{\"threads\": {}, \"error\": {}}}", n_threads, quoted(m.error())));
    }
    fmt::print("]}}");
  }
  fmt::print("\n]}}\n");
}

/// The table, row by row as the figures come in.
class Table {
 public:
  Table(const std::vector<Quantity>& wanted, const std::vector<int>& threads, std::size_t bytes) : threads_(threads) {
    for (const Quantity& q : wanted) name_width_ = std::max(name_width_, q.name.size());
    const auto gb = static_cast<double>(bytes) / 1e9;
    fmt::print("{}; reading {}; best and median of bursts\n\n", cpu_name(),
               gb < 1 ? fmt::format("{} bytes", bytes) : fmt::format("{:.2f} GB", gb));
    fmt::print("{:<11}  {:<{}}  {:<6}", "id", "quantity", name_width_, "unit");
    for (const int n : threads) fmt::print("  {:>17}", fmt::format("{} thread{}", n, n == 1 ? "" : "s"));
    fmt::print("\n");
    std::fflush(stdout);
  }

  void print(const Row& row) {
    const Quantity& q = row.quantity;
    fmt::print("{:<11}  {:<{}}  {:<6}", q.id, q.name, name_width_, q.unit);
    if (!q.available) fmt::print("  not here: needs {}", q.needs);
    for (std::size_t t = 0; t < row.measured.size(); ++t) {
      const auto& m = row.measured[t];
      fmt::print("{}", m ? fmt::format("  {:8.1f} {:8.1f}", m->best, m->median) : fmt::format("  {:>17}", "failed"));
      if (m && !m->note.empty()) notes_ += fmt::format("{}, {}: {}\n", q.id, threads_[t], m->note);
    }
    fmt::print("\n");
    std::fflush(stdout);
  }

  void print_notes() const {
    if (!notes_.empty()) fmt::print("\nfastest loops (quantity, threads):\n{}", notes_);
  }

 private:
  std::vector<int> threads_;
  std::size_t name_width_ = 8;
  std::string notes_;
};

Row measure(const Quantity& q, const std::vector<int>& threads, const limits::Options& options) {
  Row row{q, {}};
  if (!q.available) return row;
  for (const int n : threads) {
    row.measured.push_back(limits::measure(q.id, n, options));
    if (!row.measured.back()) fmt::print(stderr, "tern_limits: {}\n", row.measured.back().error());
  }
  return row;
}

}  // namespace

int main(int argc, char** argv) {
  const auto arguments = limits::read_arguments(std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
  if (!arguments) {
    fmt::print(stderr, "tern_limits: {}\n", arguments.error());
    return 2;
  }
  if (arguments->help) {
    fmt::print("{}", limits::usage());
    return 0;
  }
  limits::Options options = arguments->options;
  if (options.buffer_bytes == 0) options.buffer_bytes = limits::default_buffer_bytes();
  std::vector<Quantity> wanted = limits::quantities();
  if (const auto& only = arguments->only; !only.empty()) {
    std::erase_if(wanted, [&](const Quantity& q) { return std::find(only.begin(), only.end(), q.id) == only.end(); });
  }
  std::vector<Row> rows;
  if (arguments->json) {
    for (const Quantity& q : wanted) rows.push_back(measure(q, arguments->threads, options));
    print_json(rows, *arguments, options.buffer_bytes);
  } else {
    Table table(wanted, arguments->threads, options.buffer_bytes);
    for (const Quantity& q : wanted) table.print(rows.emplace_back(measure(q, arguments->threads, options)));
    table.print_notes();
  }
  for (const Row& row : rows) {
    for (const auto& m : row.measured) {
      if (!m) return 1;
    }
  }
  return 0;
}
