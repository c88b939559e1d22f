// Implementation of bench_matmul.hpp: the run. How it is shown is in bench_matmul_report.cpp.
#include "lab/bench_matmul.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <new>

#include "base/checked.hpp"
#include "base/random.hpp"
#include "base/words.hpp"
#include "formats/all.hpp"
#include "lab/bench_plan.hpp"
#include "lab/bench_repeat.hpp"
#include "lab/bench_weights.hpp"
#include "ops/blocks.hpp"
#include "sys/clock.hpp"
#include "sys/cpu.hpp"
#include "sys/memory.hpp"
#include "sys/thread_pool.hpp"

namespace tern::lab {
namespace {

constexpr std::uint64_t kMostCopyBytes = 512'000'000;
constexpr std::uint64_t kMostCopies = 1024;  // of a small weight: making them takes time
constexpr double kSecondsOfRepetition = 0.1;

// As many copies as keep a weight from being found in the cache when its turn comes again.
int copies_of(std::uint64_t weight_bytes, std::uint64_t last_level_cache) {
  const std::uint64_t known = std::min(last_level_cache, kMostCopyBytes);
  const std::uint64_t wanted = last_level_cache == 0 ? kMostCopyBytes : std::min(4 * known, kMostCopyBytes);
  return static_cast<int>(std::clamp<std::uint64_t>(wanted / std::max<std::uint64_t>(weight_bytes, 1), 1, kMostCopies));
}

class Matmul {
 public:
  Matmul(const MatmulOptions& options, Progress& progress)
      : options_(options), shape_(options.shape), types_(options.types), progress_(progress) {
    if (std::ranges::find(types_, &formats::kF32) == types_.end()) types_.insert(types_.begin(), &formats::kF32);
  }

  Result<MatmulResult> run() {
    TERN_TRY(const auto isas, distinct_isas(options_.isas));
    for (const std::string& isa : isas) {
      TERN_TRY(kernels::Kernels chosen, kernels::choose(isa));
      kernels_.push_back(std::make_unique<kernels::Kernels>(std::move(chosen)));
    }
    out_.version = options_.version;
    out_.cpu = sys::cpu_name();
    out_.n_cores = sys::usable_cores();
    out_.shape = shape_;
    TERN_TRY_DO(fits_memory());
    try {
      TERN_TRY_DO(make_inputs());
    } catch (const std::bad_alloc&) {
      return fail(ErrorCode::out_of_memory, "--matmul: no memory for its columns; use smaller ones");
    }
    const std::size_t n = cases_.size();
    progress_.begin("bench", n * (1 + static_cast<std::uint64_t>(options_.repetitions)));
    for (std::size_t i = 0; i < n; ++i) {
      if (progress_.cancelled()) return fail(ErrorCode::cancelled, "stopped while measuring");
      warm_up(cases_[i]);
      progress_.update(i + 1);
      limits_.want(cases_[i].cost, cases_[i].n_threads);
    }
    const std::uint64_t buffer = read_buffer_bytes(0.0, options_.last_level_cache);
    TERN_TRY_DO(limits_.measure(options_.measure_limit, buffer, progress_));
    const auto once = [&](std::size_t i) { return repetition(cases_[i]); };
    TERN_TRY(const auto repeated, run_interleaved(n, options_.repetitions, once, n, progress_));
    TERN_TRY_DO(limits_.measure(options_.measure_limit, buffer, progress_));
    progress_.end();
    for (std::size_t i = 0; i < n; ++i) finish(cases_[i], repeated[i]);
    add_ratios();
    out_.limits.assign(limits_.all().begin(), limits_.all().end());
    say_what_may_be_cached();
    return std::move(out_);
  }

 private:
  struct Case {
    const formats::Format* type = nullptr;
    const kernels::Kernels* kernels = nullptr;
    const RandomWeights* weights = nullptr;
    sys::ThreadPool* pool = nullptr;
    int n_threads = 1;
    BenchCost cost = {};          // of one product
    std::int64_t n_products = 1;  // of a repetition
    std::size_t next_copy = 0;
  };

  // Everything below would otherwise be found out by the system's killing the program.
  Result<void> fits_memory() {
    double needed = 0.0;
    for (const formats::Format* type : types_) {
      const auto bytes = formats::tensor_bytes(*type, matrix_shape(shape_.k, shape_.n_rows));
      if (!bytes) return fail(ErrorCode::usage, "--matmul: {}", bytes.error().message);
      const int n_copies = copies_of(*bytes, options_.last_level_cache);
      // A packed copy beside the first one's bytes; packed weights are never more than F32 ones.
      needed += static_cast<double>(*bytes) * (n_copies + 1) * static_cast<double>(kernels_.size());
    }
    // At most: floats, and tables of 8 bytes a value with their codes.
    needed += 16.0 * (static_cast<double>(shape_.n_rows) + static_cast<double>(shape_.k)) *
              static_cast<double>(shape_.n_cols);
    const std::uint64_t available = sys::available_memory();
    if (needed <= static_cast<double>(available)) return {};
    return fail(ErrorCode::out_of_memory,
                "--matmul {}x{}x{} needs {}, but only {} of memory are free; use a smaller one", shape_.n_rows,
                shape_.n_cols, shape_.k, human_bytes(static_cast<std::uint64_t>(std::min(needed, 1e18))),
                human_bytes(available));
  }

  Result<void> make_inputs() {
    x_stride_ = static_cast<std::size_t>((shape_.k + 15) / 16 * 16);
    y_stride_ = static_cast<std::size_t>((shape_.n_rows + 15) / 16 * 16);
    const auto n_cols = static_cast<std::size_t>(shape_.n_cols);
    x_ = AlignedBuffer(x_stride_ * n_cols * sizeof(float));
    y_ = AlignedBuffer(y_stride_ * n_cols * sizeof(float));
    Random random(2);
    for (std::size_t i = 0; i < x_stride_ * n_cols; ++i) x_.as<float>()[i] = static_cast<float>(random.normal());
    for (const int n_threads : options_.threads) pools_.push_back(std::make_unique<sys::ThreadPool>(n_threads));
    for (const auto& kernels : kernels_) {
      for (const formats::Format* type : types_) {
        if (progress_.cancelled()) return fail(ErrorCode::cancelled, "stopped while making weights");
        TERN_TRY(const std::uint64_t n_bytes, formats::tensor_bytes(*type, matrix_shape(shape_.k, shape_.n_rows)));
        const int n_copies = copies_of(n_bytes, options_.last_level_cache);
        TERN_TRY(RandomWeights made, RandomWeights::make(*type, shape_.n_rows, shape_.k, n_copies, *kernels));
        weights_.push_back(std::make_unique<RandomWeights>(std::move(made)));
      }
    }
    for (std::size_t i = 0; i < kernels_.size(); ++i) {
      for (std::size_t t = 0; t < options_.threads.size(); ++t) {
        for (std::size_t j = 0; j < types_.size(); ++j) add_case(i, t, j);
      }
    }
    return {};
  }

  void add_case(std::size_t isa, std::size_t thread, std::size_t type) {
    Case one;
    one.type = types_[type];
    one.kernels = kernels_[isa].get();
    one.weights = weights_[isa * types_.size() + type].get();
    one.pool = pools_[thread].get();
    one.n_threads = options_.threads[thread];
    const ops::Matrix& matrix = one.weights->copy(0);
    one.cost.n_tokens = shape_.n_cols;
    one.cost.n_steps = 1;
    one.cost.bytes = static_cast<double>(matrix.weight_bytes());
    const ops::Arithmetic arithmetic = matrix.arithmetic(shape_.n_cols);
    one.cost.products = {
        {.peak = std::string(arithmetic.peak),
         .n = static_cast<double>(shape_.n_rows) * static_cast<double>(shape_.n_cols) * static_cast<double>(shape_.k),
         .per_operation = arithmetic.per_operation}};
    cases_.push_back(std::move(one));
  }

  // As engine::Session multiplies: the input rounded once, rows handed out in chunks.
  void product(Case& one) {
    const ops::Matrix& matrix = one.weights->copy(one.next_copy);
    one.next_copy = (one.next_copy + 1) % one.weights->n_copies();
    columns_.prepare(matrix.input_form(), *one.kernels, x_.as<float>(), x_stride_, shape_.n_cols, shape_.k, *one.pool);
    const std::int64_t chunk = ops::rows_per_chunk(shape_.n_rows, shape_.n_cols, shape_.k, one.n_threads);
    const auto blocks = ops::blocks_of(matrix, shape_.n_cols, chunk, one.n_threads);
    one.pool->parallel_for(std::ssize(blocks), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        matrix.multiply(blocks[static_cast<std::size_t>(i)], columns_, y_.as<float>(), y_stride_);
      }
    });
  }

  // Touches every page, and finds out how many products a repetition takes.
  void warm_up(Case& one) {
    product(one);
    const sys::Stopwatch clock;
    std::int64_t n_done = 0;
    do {
      product(one);
      ++n_done;
    } while (clock.seconds() < kSecondsOfRepetition && !progress_.cancelled());
    one.n_products = n_done;
  }

  Result<Timed> repetition(Case& one) {
    return timed(one.n_threads, [&]() -> Result<void> {
      for (std::int64_t i = 0; i < one.n_products; ++i) product(one);
      return {};
    });
  }

  void finish(const Case& one, const Repetitions& repeated) {
    MatmulRow row;
    row.type = one.type;
    row.isa = std::string(one.kernels->isa);
    row.n_threads = one.n_threads;
    row.disturbed = repeated.disturbed;
    const auto n_products = static_cast<double>(one.n_products);
    for (const double seconds : repeated.seconds) {
      row.rates.push_back(one.cost.n_products() * n_products / std::max(seconds, 1e-9) * 1e-9);
    }
    row.speed = stats::summarise(row.rates);
    const double seconds = one.cost.n_products() / (row.speed.median * 1e9);
    row.gigabytes_per_second = one.cost.bytes / seconds * 1e-9;
    const std::uint64_t all_copies =
        one.weights->copy(0).weight_bytes() * static_cast<std::uint64_t>(one.weights->n_copies());
    least_copies_ = std::min(least_copies_, all_copies);
    const bool may_be_cached = may_come_from_cache(static_cast<double>(all_copies), options_.last_level_cache);
    row.judged = judge(one.cost, seconds, one.n_threads, shape_.n_cols == 1, limits_, may_be_cached);
    out_.rows.push_back(std::move(row));
  }

  void add_ratios() {
    for (MatmulRow& row : out_.rows) {
      const auto f32 = std::ranges::find_if(out_.rows, [&](const MatmulRow& other) {
        return other.type == &formats::kF32 && other.isa == row.isa && other.n_threads == row.n_threads;
      });
      row.ratio_to_f32 = row.speed.median / f32->speed.median;
    }
  }

  void say_what_may_be_cached() {
    if (!may_come_from_cache(static_cast<double>(least_copies_), options_.last_level_cache)) return;
    progress_.note(fmt::format("the copies of a weight take {}: part of them may be read from the cache",
                               human_bytes(least_copies_)));
  }

  const MatmulOptions& options_;
  MatmulShape shape_;
  std::vector<const formats::Format*> types_;
  Progress& progress_;
  MatmulResult out_;
  Limits limits_;
  std::uint64_t least_copies_ = ~std::uint64_t{0};  // bytes of all copies of one weight
  std::vector<std::unique_ptr<kernels::Kernels>> kernels_;
  std::vector<std::unique_ptr<RandomWeights>> weights_;  // [instruction sets][types]
  std::vector<std::unique_ptr<sys::ThreadPool>> pools_;
  std::vector<Case> cases_;
  std::size_t x_stride_ = 0;
  std::size_t y_stride_ = 0;
  AlignedBuffer x_;  // [n_cols][x_stride_]
  AlignedBuffer y_;  // [n_cols][y_stride_]
  ops::Columns columns_;
};

}  // namespace

Result<MatmulShape> parse_matmul_shape(std::string_view text) {
  const auto wrong = [&] {
    return fail(ErrorCode::usage,
                "--matmul is \"{}\", expected ROWSxCOLUMNSxLENGTH, each 1 to 1048576, such as 4096x1x4096",
                printable(text));
  };
  MatmulShape shape;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (std::int64_t* extent : {&shape.n_rows, &shape.n_cols, &shape.k}) {
    if (extent != &shape.n_rows) {
      if (at == end || *at != 'x') return wrong();
      ++at;
    }
    const auto [stop, error] = std::from_chars(at, end, *extent);
    if (error != std::errc{} || *extent < 1 || *extent > 1 << 20) return wrong();
    at = stop;
  }
  if (at != end) return wrong();
  return shape;
}

Result<MatmulResult> bench_matmul(const MatmulOptions& options, Progress& progress) {
  return Matmul(options, progress).run();
}

Result<void> check(const MatmulResult& result) {
  for (const MatmulRow& row : result.rows) {
    TERN_TRY_DO(check_percent(row.judged, result.limits, row.n_threads,
                              fmt::format("{}, threads {}, {}", row.type->name, row.n_threads, row.isa),
                              fmt::format("{:.1f} GMAC/s ({:.1f} GB/s)", row.speed.median, row.gigabytes_per_second)));
  }
  return {};
}

}  // namespace tern::lab
