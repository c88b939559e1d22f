// tern doctor: what this machine has, what Tern uses of it, how fast models can be at most and what would make them
// faster, and a proof of every kernel against the scalar one.
#include <CLI/CLI.hpp>
#include <vector>

#include "cli/all.hpp"
#include "cli/json_output.hpp"
#include "cli/machine_limits.hpp"
#include "kernels/kernels.hpp"
#include "lab/bench_json.hpp"
#include "lab/machine_speed.hpp"
#include "report/number.hpp"
#include "report/table.hpp"
#include "sys/busy.hpp"
#include "sys/clock.hpp"
#include "sys/cpu.hpp"
#include "sys/host_settings.hpp"
#include "sys/memory.hpp"

#include "base/words.hpp"

namespace tern::cli {
namespace {

/// What was found out about the machine beside its kernels.
struct Machine {
  lab::MachineFacts facts;
  std::vector<sys::Cache> caches;
  lab::Limits limits;
  std::vector<lab::FormatSpeed> speeds;
  std::vector<std::string> advice;
};

struct Checked {
  kernels::Isa isa;
  bool supported = false;
  bool used = false;
  std::vector<kernels::Proof> proofs;
};

class Doctor final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.add_option("--limit-seconds", limit_seconds_,
                   "seconds for each limit of the machine that is measured; 0: none (default 0.5)")
        ->type_name("S");
    app.add_flag("--json", json_, "one JSON value");
  }

  Result<void> run(Console& console) override {
    TERN_TRY_DO(check_limit_seconds(limit_seconds_, 60.0));
    const sys::Stopwatch clock;
    TERN_TRY(const kernels::Kernels chosen, kernels::choose());
    TERN_TRY(const Machine machine, look_at_machine(chosen, console));
    std::vector<Checked> sets;
    std::size_t n_proofs = 0;
    std::size_t n_failed = 0;
    for (const kernels::Isa& isa : kernels::all_isas()) {
      Checked set{.isa = isa, .supported = kernels::runs_here(isa), .used = isa.name == chosen.isa, .proofs = {}};
      if (set.supported) {
        TERN_TRY(set.proofs, kernels::prove(isa.name));
      }
      n_proofs += set.proofs.size();
      for (const kernels::Proof& proof : set.proofs) n_failed += proof.passed ? 0 : 1;
      sets.push_back(std::move(set));
    }
    if (json_) {
      print_json(console, as_json(machine, sets, n_failed, clock.seconds()));
    } else {
      console.out(as_text(machine, sets, n_proofs, n_failed, clock.seconds(), console.colour()));
    }
    if (n_failed > 0) {
      return fail(ErrorCode::internal,
                  "{} of {} kernels compute wrong results on this machine; use --isa scalar and report this", n_failed,
                  n_proofs);
    }
    return {};
  }

 private:
  Result<Machine> look_at_machine(const kernels::Kernels& chosen, Console& console) const {
    Machine machine;
    machine.caches = sys::caches();
    machine.facts.host = sys::host_settings();
    machine.facts.usable_cores = sys::usable_cores();
    machine.facts.isa_used = chosen.isa;
    TERN_TRY(const kernels::Kernels best, kernels::choose_for(sys::cpu_features(), ""));
    machine.facts.isa_best = best.isa;
    for (const kernels::Isa& isa : kernels::all_isas()) {
      if (isa.only_if_asked_for && kernels::runs_here(isa)) machine.facts.isa_to_try = isa.name;
    }
    lab::want_format_limits(chosen, machine.facts.usable_cores, machine.limits);
    const sys::BusyWatch watch;
    TERN_TRY_DO(machine.limits.measure(machine_limits(limit_seconds_), lab::read_buffer_bytes(0.0, 0), console));
    machine.facts.share_lost = limit_seconds_ > 0.0 ? watch.share_lost(machine.facts.usable_cores) : 0.0;
    machine.speeds = lab::format_speeds(chosen, machine.limits, machine.facts.usable_cores);
    machine.advice = lab::advice(machine.facts);
    return machine;
  }

  static std::string caches_text(std::span<const sys::Cache> caches) {
    std::string out;
    for (const sys::Cache& cache : caches) {
      if (cache.type == "Instruction") continue;
      out += fmt::format("{}L{} {}", out.empty() ? "" : ", ", cache.level, human_bytes(cache.n_bytes));
    }
    return out.empty() ? "not known" : out;
  }

  static std::string or_unknown(const std::string& word) { return word.empty() ? "not known" : printable(word); }

  static std::string machine_text(const Machine& machine, bool colour) {
    std::string out = fmt::format(
        "processor   {}\ncores       {} usable\ncaches      {}\nmemory      {} free; pages of 2 MiB: {}\nclock       "
        "{}\n",
        printable(sys::cpu_name(), 100), machine.facts.usable_cores, caches_text(machine.caches),
        human_bytes(sys::available_memory()), or_unknown(machine.facts.host.huge_pages),
        or_unknown(machine.facts.host.governor));
    for (const lab::Limit& limit : machine.limits.all()) {
      if (limit.value) out += fmt::format("{:<11} {:.1f} {}\n", limit.quantity, *limit.value, limit.unit());
    }
    if (machine.limits.find(lab::kReadLimit, machine.facts.usable_cores)) {
      report::Table speeds{.columns = {{"a billion weights in", report::Align::left},
                                       {"bits"},
                                       {"generating, tokens/s at most"},
                                       {"prompts, tokens/s at most"}},
                           .rows = {}};
      for (const lab::FormatSpeed& row : machine.speeds) {
        const auto figure = [](const std::optional<double>& value) {
          return value ? report::significant(*value) : std::string(report::kNoNumber);
        };
        speeds.add(
            {row.trained.empty() ? std::string(row.format) : fmt::format("{} ({} models)", row.format, row.trained),
             fmt::format("{:.4g}", row.bits), figure(row.generate), figure(row.prompt)});
      }
      out += "\n" + report::to_text(speeds, colour);
    }
    for (const std::string& line : machine.advice) out += "\nto go faster: " + line;
    return out + (machine.advice.empty() ? "\n" : "\n\n");
  }

  static std::string as_text(const Machine& machine, const std::vector<Checked>& sets, std::size_t n_proofs,
                             std::size_t n_failed, double seconds, bool colour) {
    std::string out = machine_text(machine, colour);
    report::Table isas{.columns = {{"instructions", report::Align::left},
                                   {"needs", report::Align::left},
                                   {"here", report::Align::left}},
                       .rows = {}};
    for (const Checked& set : sets) {
      isas.add({std::string(set.isa.name),
                std::string(set.isa.needs),
                {set.used        ? "yes, used"
                 : set.supported ? "yes"
                                 : "no",
                 set.used ? report::Tone::good : report::Tone::plain}});
    }
    out += report::to_text(isas, colour);
    report::Table proofs{.columns = {{"kernel", report::Align::left},
                                     {"result", report::Align::left},
                                     {"against scalar", report::Align::left}},
                         .rows = {}};
    for (const Checked& set : sets) {
      bool first = true;
      for (const kernels::Proof& proof : set.proofs) {
        proofs.add({proof.kernel,
                    {proof.passed ? "ok" : "WRONG", proof.passed ? report::Tone::good : report::Tone::bad},
                    proof.detail},
                   first);
        first = false;
      }
    }
    out += "\n" + report::to_text(proofs, colour);
    return out + fmt::format("\n{} of {} kernels proved in {:.2f} s\n", n_proofs - n_failed, n_proofs, seconds);
  }

  static Json as_json(const Machine& machine, const std::vector<Checked>& sets, std::size_t n_failed, double seconds) {
    const auto or_null = [](const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); };
    Json out;
    out["cpu"] = sys::cpu_name();
    out["cores"] = machine.facts.usable_cores;
    out["online_cores"] = machine.facts.host.online_cores;
    out["free_memory"] = sys::available_memory();
    out["huge_pages"] = machine.facts.host.huge_pages;
    out["governor"] = machine.facts.host.governor;
    out["caches"] = Json::array();
    for (const sys::Cache& cache : machine.caches)
      out["caches"].push_back({{"level", cache.level}, {"type", cache.type}, {"bytes", cache.n_bytes}});
    out["limits"] = lab::limits_json(machine.limits.all());
    out["share_lost"] = machine.facts.share_lost;
    out["billion_weights"] = Json::array();
    for (const lab::FormatSpeed& row : machine.speeds) {
      out["billion_weights"].push_back({{"format", row.format},
                                        {"bits", row.bits},
                                        {"generate_at_most", or_null(row.generate)},
                                        {"prompt_at_most", or_null(row.prompt)}});
    }
    out["advice"] = machine.advice;
    out["passed"] = n_failed == 0;
    out["seconds"] = seconds;
    out["isas"] = Json::array();
    for (const Checked& set : sets) {
      Json item{{"name", set.isa.name}, {"needs", set.isa.needs}, {"supported", set.supported}, {"used", set.used}};
      item["kernels"] = Json::array();
      for (const kernels::Proof& proof : set.proofs) {
        item["kernels"].push_back({{"kernel", proof.kernel}, {"passed", proof.passed}, {"detail", proof.detail}});
      }
      out["isas"].push_back(std::move(item));
    }
    return out;
  }

  double limit_seconds_ = 0.5;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_doctor() {
  return std::make_unique<Doctor>();
}

}  // namespace tern::cli
