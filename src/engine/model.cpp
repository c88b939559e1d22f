#include "engine/model.hpp"

#include <algorithm>
#include <new>

#include "base/words.hpp"
#include "models/vocabulary_gguf.hpp"
#include "sys/clock.hpp"
#include "sys/memory.hpp"

namespace tern::engine {
namespace {

/// What `wanted` comes to for a file on this machine.
Result<Pages> choose_pages(Pages wanted, const models::ModelFile& file) {
  if (wanted == Pages::mapped) return wanted;
  const bool has_them = sys::PageArena::kernel_has_huge_pages();
  if (wanted == Pages::huge) {
    if (has_them) return wanted;
    return fail(ErrorCode::unsupported,
                "this machine gives no 2 MiB pages (/sys/kernel/mm/transparent_hugepage/enabled says never); "
                "use --pages mmap, or have it say madvise");
  }
  // Below, all weights lie in caches, and a copy gains nothing. Above, the copy stands beside the cached file, which
  // the system drops when memory is wanted.
  constexpr std::uint64_t kLeast = std::uint64_t{32} << 20;
  const std::uint64_t n_bytes = file.weight_bytes();
  return has_them && n_bytes >= kLeast && sys::available_memory() / 5 * 4 > n_bytes ? Pages::huge : Pages::mapped;
}

}  // namespace

std::string_view pages_name(Pages pages) {
  return std::ranges::find(kPagesNames, pages, &PagesName::pages)->name;
}

Result<std::shared_ptr<const Model>> Model::load(const std::string& path, const LoadOptions& options) {
  TERN_TRY(models::ModelFile file, models::ModelFile::open(path, models::all(), options.pooling));
  return make(std::move(file), options);
}

Result<std::shared_ptr<const Model>> Model::make(models::ModelFile file, const LoadOptions& options) {
  const sys::Stopwatch clock;
  const std::string name = file.file().name();
  if (options.check_memory) {
    const std::uint64_t available = sys::available_memory();
    if (file.weight_bytes() > available) {
      return fail(ErrorCode::out_of_memory,
                  "{}: the weights take {}, but only {} of memory are free; use a smaller format", name,
                  human_bytes(file.weight_bytes()), human_bytes(available));
    }
  }
  TERN_TRY(kernels::Kernels kernels, kernels::choose(options.isa));
  TERN_TRY(const Pages pages, choose_pages(options.pages, file));
  std::shared_ptr<Model> model(new Model(std::move(file), std::move(kernels)));
  try {
    auto plan = CompiledPlan::compile(model->file_, model->kernels_, pages == Pages::huge, options.n_threads);
    if (!plan) return in_context(name, std::move(plan).error());
    model->plan_.emplace(std::move(*plan));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, "{}: not enough memory to pack the weights; use a smaller format", name);
  }
  auto vocabulary = models::read_vocabulary(model->file_.file().metadata(), model->warnings_);
  auto tokenizer =
      vocabulary ? text::Tokenizer::make(std::move(*vocabulary)) : std::unexpected(std::move(vocabulary).error());
  if (tokenizer) {
    if (static_cast<std::int64_t>(tokenizer->size()) > model->parameters().n_vocab) {
      model->tokenizer_error_ = fmt::format("the tokenizer has {} tokens but the embedding table only {} rows",
                                            tokenizer->size(), model->parameters().n_vocab);
    } else {
      model->tokenizer_.emplace(std::move(*tokenizer));
    }
  } else {
    model->tokenizer_error_ = std::move(tokenizer).error().message;
  }
  model->pages_ = pages;
  model->load_seconds_ = clock.seconds();
  return model;
}

}  // namespace tern::engine
