// The list of what this folder provides; the rest comes from the set below it.
#include "kernels/avxvnni/set.hpp"

#if defined(__x86_64__)

#include "kernels/avxvnni/functions.hpp"

namespace tern::kernels::avxvnni {
namespace {

constexpr KernelSet kSet{
    .name = "avxvnni",
    .ternary = ternary,
    .ternary_peak = "vnni_avx",
};

}  // namespace

const KernelSet* avxvnni_set() {
  return &kSet;
}

}  // namespace tern::kernels::avxvnni

#endif
