// Implementation of bench.hpp.
#include "lab/bench.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/words.hpp"
#include "engine/model.hpp"
#include "lab/bench_repeat.hpp"
#include "lab/bench_session.hpp"
#include "sys/clock.hpp"
#include "sys/cpu.hpp"
#include "sys/memory.hpp"

namespace tern::lab {
namespace {

class Bench {
 public:
  Bench(const BenchOptions& options, Progress& progress) : options_(options), progress_(progress) {}

  Result<BenchResult> run() {
    BenchLists lists = options_.lists;
    TERN_TRY(lists.isas, distinct_isas(lists.isas));  // a wrong name is found before anything is loaded
    const std::vector<BenchTest> tests = plan_of(lists);
    if (tests.empty()) return fail(ErrorCode::usage, "nothing to measure: -p and -n are both 0");
    out_.version = options_.version;
    out_.cpu = sys::cpu_name();
    out_.n_cores = sys::usable_cores();
    out_.model = options_.model;
    for (const BenchTest& test : tests) out_.rows.emplace_back().test = test;
    progress_.begin("bench", tests.size() * (1 + static_cast<std::uint64_t>(options_.repetitions)));
    TERN_TRY_DO(warm_up());
    TERN_TRY_DO(limits_.measure(options_.measure_limit, buffer_bytes(), progress_));
    TERN_TRY(const auto repeated,
             run_interleaved(
                 tests.size(), options_.repetitions,
                 [&](std::size_t i) { return ready_[session_of_row_[i]].session.run(out_.rows[i].test, progress_); },
                 tests.size(), progress_));
    std::vector<engine::OpTimes> times(out_.rows.size());
    std::vector<std::vector<ops::PassedOver>> passed_over(out_.rows.size());
    for (std::size_t i = 0; options_.operations && i < times.size(); ++i) {
      BenchSession& session = ready_[session_of_row_[i]].session;
      TERN_TRY(times[i], session.time_operations(out_.rows[i].test, progress_));
      passed_over[i].assign(session.passed_over().begin(), session.passed_over().end());
    }
    TERN_TRY_DO(limits_.measure(options_.measure_limit, buffer_bytes(), progress_));
    progress_.end();
    for (std::size_t i = 0; i < out_.rows.size(); ++i) finish(out_.rows[i], repeated[i]);
    for (std::size_t i = 0; options_.operations && i < times.size(); ++i) {
      BenchRow& row = out_.rows[i];
      const std::int64_t n_logits = row.test.generates() ? row.cost.n_tokens : row.test.n_sequences;
      row.operations = operations_of(ready_[session_of_row_[i]].model->plan(), times[i], passed_over[i], row.cost,
                                     n_logits, row.test.generates(), row.test.n_threads, limits_);
    }
    out_.limits.assign(limits_.all().begin(), limits_.all().end());
    note_what_came_from_cache();
    return std::move(out_);
  }

 private:
  /// A model for one instruction set, and a session for one number of threads.
  struct Ready {
    std::string isa;
    int n_threads = 1;
    std::shared_ptr<const engine::Model> model;
    BenchSession session;
  };

  // Loads, and runs every test once untimed, so that every page and buffer has been touched.
  Result<void> warm_up() {
    std::uint64_t done = 0;
    for (BenchRow& row : out_.rows) {
      if (ready_.empty() || ready_.back().isa != row.test.isa || ready_.back().n_threads != row.test.n_threads) {
        if (ready_.size() == 1) out_.peak_resident_bytes = sys::memory_use().peak_resident;
        TERN_TRY_DO(make_ready(row.test));
      }
      Ready& with = ready_.back();
      session_of_row_.push_back(ready_.size() - 1);
      TERN_TRY_DO(with.session.run(row.test, progress_));
      progress_.update(++done, test_name(row.test));
      const auto kv = kv_reads(with.model->plan(), with.session.kv_bytes_per_position());
      const std::int64_t n_batch = with.session.n_batch();
      const engine::Work work = engine::work_of(with.model->plan(), tokens_per_step(row.test, n_batch));
      row.cost = cost_of(row.test, work, kv, n_batch);
      take_off(row.cost, with.model->plan(), with.session.passed_over());
      limits_.want(row.cost, row.test.n_threads);
    }
    if (ready_.size() == 1) out_.peak_resident_bytes = sys::memory_use().peak_resident;
    return {};
  }

  Result<void> make_ready(const BenchTest& first) {
    std::shared_ptr<const engine::Model> model;
    if (!ready_.empty() && ready_.back().isa == first.isa) {
      model = ready_.back().model;
    } else {
      const sys::Stopwatch clock;
      TERN_TRY(model, engine::Model::load(options_.model, {.isa = first.isa,
                                                           .pages = options_.pages,
                                                           .n_threads = std::ranges::max(options_.lists.threads)}));
      out_.loads.push_back({.isa = first.isa, .seconds = clock.seconds()});
    }
    if (ready_.empty()) {
      for (const std::string& warning : model->warnings()) progress_.note("warning: " + warning);
      out_.pages = model->pages();
      out_.huge_bytes = std::min(model->plan().weights().huge_bytes(), model->plan().weights().taken_bytes());
      out_.architecture = model->parameters().architecture;
      out_.file_bytes = model->file().file().file_bytes();
    }
    std::vector<BenchTest> tests;
    for (const BenchRow& row : out_.rows) {
      if (row.test.isa == first.isa && row.test.n_threads == first.n_threads) tests.push_back(row.test);
    }
    TERN_TRY(BenchSession session, BenchSession::make(model, first.n_threads, tests, options_.n_batch, options_.cache));
    out_.cache = options_.cache;
    out_.n_batch = options_.n_batch > 0 ? options_.n_batch : engine::SessionOptions{}.n_batch;
    ready_.push_back({first.isa, first.n_threads, std::move(model), std::move(session)});
    return {};
  }

  [[nodiscard]] std::uint64_t buffer_bytes() const {
    double most = 0.0;
    for (const BenchRow& row : out_.rows) most = std::max(most, row.cost.bytes_per_step());
    return read_buffer_bytes(most, options_.last_level_cache);
  }

  void finish(BenchRow& row, const Repetitions& repeated) {
    for (const double seconds : repeated.seconds) {
      row.rates.push_back(static_cast<double>(row.cost.n_tokens) / std::max(seconds, 1e-9));
    }
    row.speed = stats::summarise(row.rates);
    row.disturbed = repeated.disturbed;
    const bool may_be_cached = may_come_from_cache(row.cost.bytes_per_step(), options_.last_level_cache);
    row.judged = judge(row.cost, row.seconds(), row.test.n_threads, row.test.generates(), limits_, may_be_cached);
  }

  void note_what_came_from_cache() {
    const auto row = std::ranges::find_if(out_.rows, [](const BenchRow& r) { return r.judged.from_cache; });
    if (row == out_.rows.end()) return;
    progress_.note(fmt::format(
        "{}: reads {} a step, which may come from the cache, faster than memory can be read: it has no percentage",
        test_name(row->test), human_bytes(static_cast<std::uint64_t>(row->cost.bytes_per_step()))));
  }

  const BenchOptions& options_;
  Progress& progress_;
  BenchResult out_;
  Limits limits_;
  std::vector<Ready> ready_;
  std::vector<std::size_t> session_of_row_;
};

}  // namespace

Result<BenchResult> bench(const BenchOptions& options, Progress& progress) {
  return Bench(options, progress).run();
}

Result<void> check(const BenchResult& result) {
  for (const BenchRow& row : result.rows) {
    const std::string name = fmt::format("{}, threads {}, {}", test_name(row.test), row.test.n_threads, row.test.isa);
    const std::string speed = fmt::format("{:.2f} tokens/s ({:.1f} GB/s, {:.1f} GMAC/s)", row.speed.median,
                                          row.gigabytes_per_second(), row.gigamacs_per_second());
    TERN_TRY_DO(check_percent(row.judged, result.limits, row.test.n_threads, name, speed));
  }
  return {};
}

}  // namespace tern::lab
