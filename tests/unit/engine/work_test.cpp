// Bytes and multiply-adds of a token against the same counted by hand from the shape.
#include "engine/work.hpp"

#include <gtest/gtest.h>

#include "engine/model.hpp"
#include "tests/support/models.hpp"
#include "tests/support/tiny_model.hpp"

namespace tern::engine {
namespace {

std::shared_ptr<const Model> tiny(const test::TinyModel& shape, std::string_view isa) {
  const test::TemporaryFolder folder;
  return test::must(
      Model::load(test::write_tiny_model(folder, shape), {.isa = std::string(isa), .check_memory = false}));
}

// Two layers: width 256, 4 heads of 64, ff 512; see tests/support/tiny_model.hpp.
constexpr std::int64_t kWidth = 256;
constexpr std::int64_t kFf = 512;
constexpr std::int64_t kVocab = 320;

TEST(Work, CountsEveryMatrixOnceAndTheHeadApart) {
  const auto model = tiny({.architecture = "llama", .format = "Q8_0", .embedding = "F16"}, "scalar");
  const models::HyperParameters& p = model->parameters();
  const std::int64_t kv_width = p.n_kv_heads * p.head_dim;
  const std::int64_t layer = 2 * kWidth * kWidth + 2 * kv_width * kWidth + 3 * kWidth * kFf;
  const Work work = work_of(model->plan());
  EXPECT_EQ(work.trunk_products(), 2 * layer);
  EXPECT_EQ(work.head_products(), kVocab * kWidth);
  EXPECT_EQ(work.trunk_bytes, static_cast<std::uint64_t>(2 * layer / 32 * 34));
  EXPECT_EQ(work.head_bytes, static_cast<std::uint64_t>(kVocab * kWidth * 2));
  EXPECT_EQ(work.attention, 2 * 2 * p.n_heads * p.head_dim);
}

TEST(Work, PackedTernaryMatricesCountAsTheyLieInMemory) {
  const auto model = tiny({.architecture = "bitnet", .format = "TQ2_0", .embedding = "Q6_K"}, "");
  const Work work = work_of(model->plan());
  EXPECT_EQ(work.trunk_bytes, static_cast<std::uint64_t>(work.trunk_products() / 4));
}

TEST(Work, NamesTheInstructionsOfEachPartWhereTheyAreKnown) {
  for (const kernels::Isa& isa : kernels::all_isas()) {
    if (!kernels::runs_here(isa)) continue;
    SCOPED_TRACE(isa.name);
    const auto model = tiny({.architecture = "bitnet", .format = "TQ2_0", .embedding = "F16"}, isa.name);
    const Work work = work_of(model->plan());
    for (const Products& products : work.products) EXPECT_EQ(products.peak.empty(), isa.name == "scalar");
    EXPECT_EQ(work.products.size(), isa.name == "scalar" ? 1U : 2U);
  }
}

}  // namespace
}  // namespace tern::engine
