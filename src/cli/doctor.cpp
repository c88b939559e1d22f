// tern doctor: what this processor has, what Tern uses of it, and a proof of every kernel against the scalar one.
#include <CLI/CLI.hpp>
#include <vector>

#include "cli/all.hpp"
#include "cli/json_output.hpp"
#include "kernels/kernels.hpp"
#include "report/table.hpp"
#include "sys/clock.hpp"
#include "sys/cpu.hpp"
#include "sys/memory.hpp"

#include "base/words.hpp"

namespace tern::cli {
namespace {

struct Checked {
  kernels::Isa isa;
  bool supported = false;
  bool used = false;
  std::vector<kernels::Proof> proofs;
};

class Doctor final : public Command {
 public:
  void declare(CLI::App& app) override { app.add_flag("--json", json_, "one JSON value"); }

  Result<void> run(Console& console) override {
    const sys::Stopwatch clock;
    TERN_TRY(const kernels::Kernels chosen, kernels::choose());
    const sys::CpuFeatures features = sys::cpu_features();
    std::vector<Checked> sets;
    std::size_t n_proofs = 0;
    std::size_t n_failed = 0;
    for (const kernels::Isa& isa : kernels::all_isas()) {
      Checked set{.isa = isa, .supported = isa.supported(features), .used = isa.name == chosen.isa, .proofs = {}};
      if (set.supported) {
        TERN_TRY(set.proofs, kernels::prove(isa.name));
      }
      n_proofs += set.proofs.size();
      for (const kernels::Proof& proof : set.proofs) n_failed += proof.passed ? 0 : 1;
      sets.push_back(std::move(set));
    }
    if (json_) {
      print_json(console, as_json(sets, n_failed, clock.seconds()));
    } else {
      console.out(as_text(sets, n_proofs, n_failed, clock.seconds(), console.colour()));
    }
    if (n_failed > 0) {
      return fail(ErrorCode::internal,
                  "{} of {} kernels compute wrong results on this machine; use --isa scalar and report this", n_failed,
                  n_proofs);
    }
    return {};
  }

 private:
  static std::string as_text(const std::vector<Checked>& sets, std::size_t n_proofs, std::size_t n_failed,
                             double seconds, bool colour) {
    std::string out = fmt::format("processor   {}\ncores       {} usable\nmemory      {} free\n\n", sys::cpu_name(),
                                  sys::usable_cores(), human_bytes(sys::available_memory()));
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

  static Json as_json(const std::vector<Checked>& sets, std::size_t n_failed, double seconds) {
    Json out;
    out["cpu"] = sys::cpu_name();
    out["cores"] = sys::usable_cores();
    out["free_memory"] = sys::available_memory();
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

  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_doctor() {
  return std::make_unique<Doctor>();
}

}  // namespace tern::cli
