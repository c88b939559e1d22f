// The list of what this folder provides; the rest comes from the set below it.
#include "kernels/amxint8/set.hpp"

#if defined(__x86_64__)

#include "kernels/amxint8/functions.hpp"

namespace tern::kernels::amxint8 {
namespace {

constexpr KernelSet kSet{
    .name = "amxint8",
    .ternary = ternary,
    .ternary_peak = "amx_int8",
    .ternary_panel = ternary_panel,
    .ternary_panel_peak = "amx_int8",
};

}  // namespace

const KernelSet* amxint8_set() {
  return &kSet;
}

}  // namespace tern::kernels::amxint8

#endif
