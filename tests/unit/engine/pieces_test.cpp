// Pieces cover every output of every part (blocks_test.cpp: once), shares of threads are equal, and what a thread may
// fetch ahead is where its first piece reads.
#include "engine/pieces.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/model.hpp"
#include "tests/support/kernel_cases.hpp"
#include "tests/support/models.hpp"
#include "tests/support/tiny_model.hpp"

namespace tern::engine {
namespace {

std::shared_ptr<const Model> tiny(std::string_view format) {
  const test::TemporaryFolder folder;
  return test::must(Model::load(
      test::write_tiny_model(folder, {.architecture = "bitnet", .format = std::string(format), .embedding = "Q6_K"}),
      {.isa = {}, .check_memory = false}));
}

TEST(Pieces, CoverEveryOutputOfEveryPart) {
  const auto model = tiny("TQ2_0");
  int n_linear = 0;
  for (const Op& op : model->plan().ops()) {
    const auto* linear = std::get_if<LinearOp>(&op);
    if (linear == nullptr) continue;
    ++n_linear;
    for (const std::int64_t n_cols : {1, 7, 300}) {
      for (const int n_threads : {1, 2, 5, 64}) {
        std::vector<std::int64_t> n_outputs(linear->parts.size(), 0);
        for (const Piece& piece : pieces_of(*linear, n_cols, n_threads)) {
          const ops::Block& block = piece.block;
          ASSERT_LE(block.last_row, linear->parts.at(piece.part).matrix->n_rows());
          ASSERT_LE(block.last_column, n_cols);
          n_outputs[piece.part] += (block.last_row - block.first_row) * (block.last_column - block.first_column);
        }
        for (std::size_t i = 0; i < n_outputs.size(); ++i) {
          EXPECT_EQ(n_outputs[i], linear->parts[i].matrix->n_rows() * n_cols);
        }
      }
    }
  }
  EXPECT_GE(n_linear, 4);
}

/// Rows of the first of two threads in a product of one token.
std::int64_t rows_of_first(const LinearOp& op) {
  const auto pieces = pieces_of(op, 1, 2);
  std::int64_t rows = 0;
  for (const Piece& piece :
       std::span(pieces).first(static_cast<std::size_t>(sys::ThreadPool::first_chunk(std::ssize(pieces), 1, 2))))
    rows += piece.block.last_row - piece.block.first_row;
  return rows;
}

TEST(Pieces, LeaveThreadsEqualShares) {
  const kernels::Kernels kernels = kernels::choose("").value();
  std::vector<std::unique_ptr<ops::Matrix>> matrices;
  const auto product_of = [&](const std::vector<test::EncodedTensor>& weights, ops::Rounding rounding,
                              ops::Input input) {
    LinearOp op{.in = 0, .k = 256, .parts = {}};
    for (const test::EncodedTensor& tensor : weights) {
      auto bound = ops::Matrix::bind(tensor.view(), rounding, kernels, input).value();
      matrices.push_back(std::make_unique<ops::Matrix>(std::move(bound)));
      op.parts.push_back({.out = 0, .matrix = matrices.back().get(), .bias = nullptr, .output_scale = 1.0F});
    }
    return op;
  };
  std::vector<test::EncodedTensor> weights;
  for (const std::int64_t n_rows : {2560, 640, 640})
    weights.push_back(test::encoded_tensor(formats::kF16, n_rows, 256, test::normal_values(n_rows * 256, 1)));
  EXPECT_EQ(rows_of_first(product_of(weights, ops::Rounding::none, ops::Input::any)), (2560 + 640 + 640) / 2);
  // In panels of 256 rows, which are not cut.
  const auto ternary = test::encoded_tensor(formats::kF16, 2560, 256, std::vector<float>(2560 * 256, 0.5F));
  EXPECT_EQ(rows_of_first(product_of({ternary}, ops::Rounding::per_token, ops::Input::mostly_zero)), 1280);
}

TEST(Pieces, WhatIsFetchedAheadIsWhereTheNextProductBegins) {
  for (const char* format : {"TQ2_0", "Q1_0", "Q8_0"}) {
    SCOPED_TRACE(format);
    const auto model = tiny(format);
    const std::vector<Op>& ops = model->plan().ops();
    const sys::ThreadPool pool(3);
    for (std::size_t current = 0; current < ops.size(); ++current) {
      std::size_t after = (current + 1) % ops.size();
      while (!std::holds_alternative<LinearOp>(ops[after]) && !std::holds_alternative<HeadOp>(ops[after]))
        after = (after + 1) % ops.size();
      const auto ahead = weights_ahead(ops, current, pool);
      ASSERT_EQ(ahead.size(), 3U);
      const auto* linear = std::get_if<LinearOp>(&ops[after]);
      const ops::Matrix& first =
          linear != nullptr ? *linear->parts.front().matrix : *std::get<HeadOp>(ops[after]).matrix;
      EXPECT_EQ(ahead[0].data(), first.weights_from(0).data()) << "the caller always has a piece, the first";
      const auto pieces = linear != nullptr ? pieces_of(*linear, 1, 3) : pieces_of(std::get<HeadOp>(ops[after]), 1, 3);
      for (int t = 0; t < 3; ++t) {
        const auto& mine = ahead[static_cast<std::size_t>(t)];
        const auto index = static_cast<std::size_t>(pool.first_chunk(std::ssize(pieces), t));
        if (pool.first_chunk(std::ssize(pieces), t) == pool.first_chunk(std::ssize(pieces), t + 1)) {
          EXPECT_TRUE(mine.empty()) << "it has no piece of its own";
          continue;
        }
        const ops::Matrix& matrix = linear != nullptr ? *linear->parts[pieces[index].part].matrix : first;
        const auto weights = matrix.weights_from(pieces[index].block.first_row);
        EXPECT_EQ(mine.data(), weights.data());
        EXPECT_FALSE(mine.empty());
        EXPECT_LE(mine.size(), weights.size()) << "nothing beyond the matrix";
      }
    }
  }
}

TEST(Pieces, ThreadsWithoutAPieceFetchNothing) {
  const auto model = tiny("TQ2_0");
  const sys::ThreadPool pool(40);
  const auto ahead = weights_ahead(model->plan().ops(), 0, pool);
  ASSERT_EQ(ahead.size(), static_cast<std::size_t>(pool.n_threads()));
  const auto& first = std::get<LinearOp>(
      *std::ranges::find_if(model->plan().ops(), [](const Op& op) { return std::holds_alternative<LinearOp>(op); }));
  const auto n_pieces = std::ssize(pieces_of(first, 1, pool.n_threads()));
  ASSERT_LT(n_pieces, pool.n_threads());
  EXPECT_EQ(std::ranges::count_if(ahead, [](const auto& mine) { return !mine.empty(); }), n_pieces);
}

}  // namespace
}  // namespace tern::engine
