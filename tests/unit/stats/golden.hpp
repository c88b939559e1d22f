// The vectors that numpy and scipy made (tests/golden/make/make_stats.py), read once.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/data.hpp"

namespace tern::test {

inline const nlohmann::json& stats_golden() {
  static const nlohmann::json document = [] {
    std::ifstream file(source_file("tests/golden/data/stats.json"));
    return nlohmann::json::parse(file);
  }();
  return document;
}

/// |got - expected| <= relative * |expected| + absolute
inline ::testing::AssertionResult near(double got, double expected, double relative, double absolute = 0.0) {
  const double difference = got > expected ? got - expected : expected - got;
  const double allowed = relative * (expected < 0 ? -expected : expected) + absolute;
  if (difference <= allowed) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "got " << got << ", expected " << expected << ", off by " << difference;
}

}  // namespace tern::test
