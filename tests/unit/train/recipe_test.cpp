// Recipes: what is read, refused with the nearest name, set from a command line, written and read back.
#include "train/run/recipe.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "train/quantizers/quantizers.hpp"
#include "train/run/recipe_fields.hpp"

namespace tern::train {
namespace {

Recipe must_parse(std::string_view json, const Recipe& base = {}) {
  auto recipe = parse_recipe(json, "r.json", base);
  EXPECT_TRUE(recipe) << (recipe ? "" : recipe.error().message);
  return recipe ? *recipe : Recipe{};
}

/// The message, which must name the file first and be one line.
std::string refusal(std::string_view json) {
  const auto recipe = parse_recipe(json, "r.json");
  if (recipe) return "accepted";
  const std::string& message = recipe.error().message;
  EXPECT_EQ(recipe.error().code, ErrorCode::bad_input) << message;
  EXPECT_TRUE(message.starts_with("r.json: ")) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos);
  EXPECT_LT(message.size(), 400U) << message;
  return message;
}

std::string set_refusal(std::string_view assignment) {
  Recipe recipe;
  const auto done = set_field(recipe, assignment);
  if (done) return "accepted";
  EXPECT_EQ(done.error().code, ErrorCode::usage);
  EXPECT_LT(done.error().message.size(), 400U) << done.error().message;
  return done.error().message;
}

void expect_has(const std::string& message, std::string_view part) {
  EXPECT_NE(message.find(part), std::string::npos) << "\"" << message << "\" does not say \"" << part << "\"";
}

TEST(Recipe, AbsentFieldsKeepTheirValues) {
  EXPECT_EQ(must_parse("{}"), Recipe{});
  EXPECT_EQ(must_parse(R"({"model": {}, "data": {}})"), Recipe{});
  Recipe base;
  base.hidden_size = 512;
  base.seed = 9;
  const Recipe read = must_parse(R"({"model": {"num_hidden_layers": 7}})", base);
  EXPECT_EQ(read.hidden_size, 512);
  EXPECT_EQ(read.seed, 9);
  EXPECT_EQ(read.num_hidden_layers, 7);
}

TEST(Recipe, EveryKindOfFieldIsRead) {
  const Recipe read = must_parse(R"({
    "model": {"architecture": "qwen3", "tie_word_embeddings": false, "hidden_act": "gelu"},
    "quantization": {"weights": "absmean", "activations": "int4", "straight_through": "clipped", "from": 0.25},
    "data": {"mixture": {"tinystories": 0.6, "books": 3}},
    "optimizer": {"tokens": 9e6, "learning_rate": 3e-3},
    "run": {"sample_prompt": "Es war einmal"}
  })");
  EXPECT_EQ(read.architecture, "qwen3");
  EXPECT_FALSE(read.tie_word_embeddings);
  EXPECT_EQ(read.hidden_act, "gelu");
  EXPECT_EQ(read.quantise_from, 0.25);
  EXPECT_EQ(read.mixture, (Mixture{{"books", 3.0}, {"tinystories", 0.6}}));
  EXPECT_EQ(read.tokens, 9000000);
  EXPECT_EQ(read.learning_rate, 3e-3);
  EXPECT_EQ(read.sample_prompt, "Es war einmal");
  const auto quantizer = quantizer_of(read);
  ASSERT_TRUE(quantizer);
  EXPECT_EQ(quantizer->weights, &kAbsmean);
  EXPECT_EQ(quantizer->activation_bits, 4);
  EXPECT_EQ(quantizer->straight_through, StraightThrough::clipped);
}

TEST(Recipe, UnknownNamesAreRefusedWithTheNearest) {
  expect_has(refusal(R"({"modle": {}})"), "unknown section \"modle\" (did you mean model?)");
  expect_has(refusal(R"({"zzzzzzz": {}})"), "there are model, quantization, data, optimizer, schedule, run");
  expect_has(refusal(R"({"optimizer": {"learning_rat": 1}})"),
             "unknown key \"learning_rat\" in optimizer (did you mean learning_rate?)");
  expect_has(refusal(R"({"model": {"learning_rate": 1}})"),
             "unknown key \"learning_rate\" in model (did you mean optimizer.learning_rate?)");
  expect_has(refusal(R"({"schedule": {"weight_decy": 1}})"), "(did you mean optimizer.weight_decay?)");
  expect_has(refusal(R"({"model": {"architecture": "lama"}})"), "did you mean llama");
  expect_has(refusal(R"({"model": {"hidden_act": "silo"}})"), "model.hidden_act");
  expect_has(refusal(R"({"quantization": {"weights": "absmeen"}})"), "did you mean absmean?");
  expect_has(refusal(R"({"quantization": {"weights": "sign", "activations": "int9"}})"), "expected none, int8, int4");
  expect_has(refusal(R"({"quantization": {"straight_through": "cliped"}})"), "did you mean clipped?");
  expect_has(refusal(R"({"schedule": {"kind": "cosin"}})"), "did you mean cosine?");
  expect_has(refusal(R"({"data": {"order": "shufle"}})"), "did you mean shuffle?");
}

TEST(Recipe, WrongTypesAreRefused) {
  expect_has(refusal(R"({"model": {"hidden_size": "256"}})"), "model.hidden_size is \"256\", expected a whole number");
  expect_has(refusal(R"({"model": {"hidden_size": 2.5}})"), "model.hidden_size is 2.5, expected a whole number");
  expect_has(refusal(R"({"model": {"hidden_size": null}})"), "expected a whole number");
  expect_has(refusal(R"({"model": {"hidden_size": 1e300}})"), "expected a whole number");
  expect_has(refusal(R"({"model": {"tie_word_embeddings": 1}})"), "expected true or false");
  expect_has(refusal(R"({"model": {"architecture": 3}})"), "expected a text in quotes");
  expect_has(refusal(R"({"optimizer": {"learning_rate": "fast"}})"), "expected a number");
  expect_has(refusal(R"({"data": {"mixture": [1]}})"), "expected an object of weights by source");
  expect_has(refusal(R"({"data": {"mixture": {"a": "b"}}})"), "expected numbers as weights");
  expect_has(refusal(R"({"model": 3})"), "model is no object of keys");
  expect_has(refusal("[]"), "expected an object of sections");
  expect_has(refusal("3"), "expected an object of sections");
}

TEST(Recipe, RangesAreChecked) {
  expect_has(refusal(R"({"model": {"hidden_size": 0}})"), "model.hidden_size is 0, expected 1 to");
  expect_has(refusal(R"({"model": {"hidden_size": -256}})"), "model.hidden_size is -256");
  expect_has(refusal(R"({"optimizer": {"beta1": 1}})"), "optimizer.beta1 is 1, expected 0 to");
  expect_has(refusal(R"({"schedule": {"last": 1.5}})"), "schedule.last is 1.5, expected 0 to 1");
  expect_has(refusal(R"({"run": {"seed": -1}})"), "run.seed");
  Recipe recipe;
  recipe.learning_rate = std::numeric_limits<double>::quiet_NaN();
  ASSERT_FALSE(check(recipe));
  expect_has(check(recipe).error().message, "optimizer.learning_rate");
}

// Each number with bounds refuses what lies beyond them and takes the bounds themselves (as far as the model fits).
TEST(Recipe, EveryBoundedFieldRefusesWhatLiesBeyondItsBounds) {
  Recipe names;
  const std::size_t n_fields = recipe_fields(names).size();
  for (std::size_t i = 0; i < n_fields; ++i) {
    for (const bool above : {false, true}) {
      Recipe recipe;
      const RecipeField field = recipe_fields(recipe)[i];
      const double bound = above ? field.most : field.least;
      if (std::fabs(bound) >= 1e300) continue;
      const double beyond = above ? bound + std::max(1.0, std::fabs(bound)) : bound - 1.0;
      if (auto* const* whole = std::get_if<std::int64_t*>(&field.target)) {
        **whole = static_cast<std::int64_t>(beyond);
      } else if (auto* const* real = std::get_if<double*>(&field.target)) {
        **real = beyond;
      } else {
        continue;
      }
      const auto sound = check(recipe);
      ASSERT_FALSE(sound) << field.section << "." << field.key << " = " << beyond;
      expect_has(sound.error().message, std::string(field.section) + "." + std::string(field.key));
    }
  }
}

TEST(Recipe, WhatMustFitTogetherIsChecked) {
  expect_has(refusal(R"({"model": {"hidden_size": 250, "num_attention_heads": 4}})"), "say head_dim");
  expect_has(refusal(R"({"model": {"num_attention_heads": 4, "num_key_value_heads": 3}})"), "model");
  expect_has(refusal(R"({"quantization": {"activations": "int8"}})"), "weights are none");
}

TEST(Recipe, HostileTextIsRefusedInOneLine) {
  for (const std::string& text :
       std::vector<std::string>{"", " ", "{", "}", "nul", R"({"model": )", R"({"model": {"hidden_size": 1e999}})",
                                R"({"model": {}, "model": {}})", "{\"mo\\u0000del\": {}}", "{\"\xff\": {}}",
                                "{\"run\": {\"sample_prompt\": \"\xff\"}}", "\xef\xbb\xbf{}x", std::string(2, '\0'),
                                std::string(100000, '['), R"({"data": {"mixture": )" + std::string(100, '{')}) {
    EXPECT_NE(refusal(text), "accepted") << text.substr(0, 60);
  }
  expect_has(refusal("{\"" + std::string(100000, 'x') + "\": {}}"), "unknown section");
  expect_has(refusal(R"({"model": {"hidden_size": ")" + std::string(100000, 'x') + "\"}}"), "expected a whole number");
  expect_has(refusal(R"({"model": {"architecture": ")" + std::string(100000, 'x') + "\"}}"), "model.architecture");
  expect_has(refusal(R"({"quantization": {"weights": ")" + std::string(100000, '\t') + "\"}}"), "JSON");
  expect_has(refusal(std::string(2 << 20, ' ')), "r.json");
}

TEST(Recipe, FieldsAreSetFromACommandLine) {
  Recipe recipe;
  for (const char* assignment :
       {"optimizer.learning_rate=3e-3", "model.hidden_size=128", "model.tie_word_embeddings=false",
        "quantization.weights=absmean", "run.sample_prompt=a = b", "data.mixture={\"a\": 2}", "optimizer.tokens=9e6",
        "model.hidden_act="}) {
    const auto done = set_field(recipe, assignment);
    EXPECT_TRUE(done) << assignment;
  }
  EXPECT_EQ(recipe.learning_rate, 3e-3);
  EXPECT_EQ(recipe.hidden_size, 128);
  EXPECT_FALSE(recipe.tie_word_embeddings);
  EXPECT_EQ(recipe.weights, "absmean");
  EXPECT_EQ(recipe.sample_prompt, "a = b") << "text is taken as it is, after the first equals sign";
  EXPECT_EQ(recipe.mixture, (Mixture{{"a", 2.0}}));
  EXPECT_EQ(recipe.tokens, 9000000);
  EXPECT_EQ(recipe.hidden_act, "");
}

TEST(Recipe, AssignmentsThatMeanNothingAreRefused) {
  expect_has(set_refusal("optimizer.learning_rate"), "expected SECTION.KEY=VALUE");
  expect_has(set_refusal(""), "expected SECTION.KEY=VALUE");
  expect_has(set_refusal("optimizer.learning_rat=1"), "did you mean optimizer.learning_rate?");
  expect_has(set_refusal("learning_rate=1"), "has no \"learning_rate\"");
  expect_has(set_refusal("=1"), "has no \"\"");
  expect_has(set_refusal("optimizer.learning_rate=fast"), "optimizer.learning_rate is \"fast\", expected a number");
  expect_has(set_refusal("optimizer.learning_rate="), "optimizer.learning_rate");
  expect_has(set_refusal("model.hidden_size=[1]"), "expected a whole number");
  expect_has(set_refusal("model.tie_word_embeddings=yes"), "expected true or false");
  expect_has(set_refusal("model.hidden_size=" + std::string(100000, '9')), "model.hidden_size");
}

TEST(Recipe, ARefusedAssignmentChangesNothing) {
  Recipe recipe;
  EXPECT_FALSE(set_field(recipe, "data.mixture={\"a\": 1, \"b\": \"x\"}"));
  EXPECT_FALSE(set_field(recipe, "model.hidden_size=1.5"));
  EXPECT_EQ(recipe, Recipe{});
}

TEST(Recipe, WrittenRecipesAreReadBackExactly) {
  Recipe recipe;
  recipe.architecture = "bitnet-b1.58";
  recipe.weights = "lsq4";
  recipe.group = 64;
  recipe.learning_rate = 0.1 + 0.2;
  recipe.tokens = 999999999999999;
  recipe.mixture = {{"a \"quoted\" name", 1.0 / 3.0}, {"ü", 2.0}};
  recipe.sample_prompt = "line\nbreak \\ \"quote\" é";
  recipe.tie_word_embeddings = false;
  const std::string text = recipe_json(recipe);
  EXPECT_EQ(must_parse(text), recipe);
  EXPECT_EQ(recipe_json(must_parse(text)), text);
}

// Every field takes part in reading and writing: each is changed alone and must come back, and no two share a place.
TEST(Recipe, EveryFieldTravels) {
  Recipe names;
  const std::size_t n_fields = recipe_fields(names).size();
  std::set<std::string> full_names;
  std::set<std::string> texts{recipe_json(Recipe{})};
  for (std::size_t i = 0; i < n_fields; ++i) {
    Recipe recipe;
    const RecipeField field = recipe_fields(recipe)[i];
    EXPECT_FALSE(field.help.empty());
    if (std::holds_alternative<std::int64_t*>(field.target) || std::holds_alternative<double*>(field.target)) {
      EXPECT_GE(field.least, 0.0) << field.key << ": nothing in a recipe may be negative";
      EXPECT_LE(field.most, 1e30) << field.key;
    }
    EXPECT_TRUE(full_names.insert(std::string(field.section) + "." + std::string(field.key)).second);
    struct Change {
      void operator()(std::int64_t* value) const { *value += 4; }
      void operator()(double* value) const { *value = *value * 0.5 + 0.125; }
      void operator()(bool* value) const { *value = !*value; }
      void operator()(std::string* value) const { *value += "x"; }
      void operator()(Mixture* value) const { (*value)["x"] = 1.0; }
    };
    std::visit(Change{}, field.target);
    EXPECT_NE(recipe, Recipe{}) << field.key;
    const std::string text = recipe_json(recipe);
    EXPECT_TRUE(texts.insert(text).second) << field.key << " is not written";
  }
}

// A recipe is written as JSON, which is Unicode: what is not cannot be set.
TEST(Recipe, TextThatIsNotUnicodeIsRefused) {
  for (const char* assignment :
       {"run.sample_prompt=\xff\xfe", "\xffrun.seed=1", "data.mixture={\"\xff\": 1}", "optimizer.learning_rate=\xc3"}) {
    expect_has(set_refusal(assignment), "is not UTF-8");
  }
}

TEST(Recipe, BecomesThePartsOfARun) {
  const Recipe recipe = must_parse(R"({
    "model": {"architecture": "llama", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
              "num_attention_heads": 4, "num_key_value_heads": 2, "sliding_window": 32, "rms_norm_eps": 1e-6,
              "rope_theta": 5000, "norm_per_projection": true},
    "quantization": {"weights": "absmean", "activations": "int8", "group": 64, "from": 0.5, "fade_in": 10},
    "data": {"context": 48},
    "optimizer": {"beta1": 0.8, "beta2": 0.9, "epsilon": 1e-6, "clip": 0.5, "weight_decay": 0.2, "decay_until": 0.5,
                  "learning_rate": 0.002},
    "schedule": {"kind": "wsd", "warm_up": 5, "last": 0.25, "stable_until": 0.5, "first_end": 0.3, "second_peak": 0.4}
  })");
  const auto p = hyper_parameters_of(recipe, 320);
  ASSERT_TRUE(p) << p.error().message;
  EXPECT_EQ(p->n_vocab, 320);
  EXPECT_EQ(p->n_ctx_train, 48);
  EXPECT_EQ(p->n_embd, 64);
  EXPECT_EQ(p->n_ff, 96);
  EXPECT_EQ(p->n_layers, 2);
  EXPECT_EQ(p->n_kv_heads, 2);
  EXPECT_EQ(p->head_dim, 16);
  EXPECT_EQ(p->n_rotary, 16);
  EXPECT_EQ(p->window, 32);
  EXPECT_TRUE(p->input_norms);
  EXPECT_EQ(p->norm_eps, 1e-6F);
  EXPECT_EQ(p->rope_base, 5000.0F);
  EXPECT_EQ(p->linear_activation, (models::ActivationPolicy{models::ActivationPolicy::Mode::per_token, 8}));
  const OptimizerOptions optimizer = optimizer_of(recipe);
  EXPECT_EQ(optimizer.beta1, 0.8F);
  EXPECT_EQ(optimizer.beta2, 0.9F);
  EXPECT_EQ(optimizer.epsilon, 1e-6F);
  EXPECT_EQ(optimizer.clip, 0.5);
  const auto schedule = schedule_of(recipe, 400);
  ASSERT_TRUE(schedule);
  EXPECT_EQ(schedule->kind, Schedule::Kind::wsd);
  EXPECT_EQ(schedule->n_steps, 400);
  EXPECT_EQ(schedule->warm_up, 5);
  EXPECT_EQ(schedule->peak, 0.002);
  EXPECT_EQ(schedule->last, 0.25);
  EXPECT_EQ(schedule->stable_until, 0.5);
  EXPECT_EQ(schedule->first_end, 0.3);
  EXPECT_EQ(schedule->second_peak, 0.4);
  EXPECT_EQ(schedule->weight_decay, 0.2);
  EXPECT_EQ(schedule->decay_until, 0.5);
  EXPECT_EQ(schedule->quantise_from, 0.5);
  EXPECT_EQ(schedule->fade_in, 10);
}

}  // namespace
}  // namespace tern::train
