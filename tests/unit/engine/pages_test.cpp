// Where weights lie: copied whole into pages of 2 MiB, or used in the mapped file; what "automatic" comes to.
#include <gtest/gtest.h>

#include "engine/model.hpp"
#include "engine/work.hpp"
#include "tests/support/models.hpp"
#include "tests/support/tiny_model.hpp"

namespace tern::engine {
namespace {

class Weights : public testing::Test {
 protected:
  std::shared_ptr<const Model> loaded(const test::TinyModel& shape, Pages pages) {
    return test::must(Model::load(test::write_tiny_model(folder_, shape), {.isa = {}, .pages = pages, .n_threads = 3}));
  }
  test::TemporaryFolder folder_;
};

TEST_F(Weights, EveryMatrixThatIsReadForEachTokenIsCopiedOnce) {
  if (!sys::PageArena::kernel_has_huge_pages()) GTEST_SKIP() << "this kernel gives no 2 MiB pages";
  for (const test::TinyModel& shape :
       {test::TinyModel{.architecture = "bitnet", .format = "TQ2_0", .embedding = "Q6_K"},
        test::TinyModel{.architecture = "bitnet", .format = "I2_S", .embedding = "F16"},
        test::TinyModel{.architecture = "bitnet", .format = "Q1_0", .embedding = "F16"},
        test::TinyModel{.architecture = "llama", .format = "Q8_0", .untied_head = true}}) {
    SCOPED_TRACE(shape.format);
    const auto model = loaded(shape, Pages::huge);
    const Work work = work_of(model->plan());
    EXPECT_EQ(model->pages(), Pages::huge);
    EXPECT_EQ(model->plan().weights().taken_bytes(), work.trunk_bytes + work.head_bytes);
    EXPECT_EQ(model->plan().packed_bytes(), 0U);
  }
}

TEST_F(Weights, AreUsedWhereTheFileIsMappedWhenAskedTo) {
  const auto model = loaded({.architecture = "bitnet", .format = "I2_S"}, Pages::mapped);
  EXPECT_EQ(model->pages(), Pages::mapped);
  EXPECT_EQ(model->plan().weights().taken_bytes(), 0U);
  EXPECT_EQ(model->plan().packed_bytes(), 0U) << "I2_S lies in the file as kernels want it";
}

TEST_F(Weights, ASmallModelIsNotCopiedByItself) {
  EXPECT_EQ(loaded({}, Pages::automatic)->pages(), Pages::mapped);
}

}  // namespace
}  // namespace tern::engine
