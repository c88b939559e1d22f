#include "files/pytorch.hpp"

#include <utility>

#include "base/byte_cursor.hpp"
#include "base/words.hpp"
#include "files/checkpoint.hpp"
#include "files/pickle.hpp"
#include "files/pytorch_tensors.hpp"
#include "files/zip.hpp"

namespace tern::files {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kZip = "PK\x03\x04";
constexpr std::string_view kPickle = "data.pkl";
// The number torch.save put first before it made archives, as a pickle.
constexpr std::string_view kLegacy = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."sv;

// The third byte keeps files of little-endian numbers apart.
bool is_pickle(std::string_view text) {
  return text.size() > 2 && text[0] == '\x80' && text[1] >= 2 && text[1] <= 5 && text[2] != 0 && text.back() == '.';
}

// "archive" of "archive/data.pkl": torch.save names the folder after the file.
Result<std::string_view> root_of(const ZipDirectory& zip) {
  for (const ZipEntry& entry : zip.entries()) {
    const auto slash = entry.name.find('/');
    if (slash != entry.name.npos && entry.name.substr(slash + 1) == kPickle) return entry.name.substr(0, slash);
  }
  return fail(ErrorCode::bad_input, "is a ZIP archive without a data.pkl, expected a PyTorch checkpoint");
}

}  // namespace

bool PytorchFile::looks_like(std::span<const std::byte> bytes) {
  const std::string_view text = as_text(bytes);
  return text.starts_with(kZip) || text.starts_with(kLegacy) || is_pickle(text);
}

Result<PytorchFile> PytorchFile::open(const std::string& path) {
  TERN_TRY(auto mapped, sys::MappedFile::open(path));
  TERN_TRY(PytorchFile file, parse(mapped.bytes(), path));
  file.file_ = std::move(mapped);  // the bytes stay where they are
  return file;
}

Result<PytorchFile> PytorchFile::parse(std::span<const std::byte> bytes, std::string_view name) {
  PytorchFile file;
  file.bytes_ = bytes;
  file.name_ = name;
  if (auto read = file.read_all(); !read) return in_context(name, std::move(read).error());
  return file;
}

Result<void> PytorchFile::read_all() {
  const std::string_view text = as_text(bytes_);
  if (text.starts_with(kLegacy)) {
    return fail(ErrorCode::unsupported,
                "is of PyTorch before 1.6; load it there and save it again with a newer one, or as safetensors");
  }
  if (is_pickle(text)) {
    return fail(ErrorCode::unsupported, "is a bare Python pickle; save the tensors with torch.save or as safetensors");
  }
  if (!text.starts_with(kZip)) {
    return fail(ErrorCode::bad_input, "{} bytes that are not a PyTorch checkpoint: expected a ZIP archive",
                bytes_.size());
  }
  TERN_TRY(const ZipDirectory zip, ZipDirectory::parse(bytes_));
  TERN_TRY(const std::string_view root, root_of(zip));
  const auto entry = [&](std::string_view name) { return zip.find(fmt::format("{}/{}", root, name)); };
  if (entry("constants.pkl") != nullptr) {
    return fail(ErrorCode::unsupported, "is a TorchScript program, expected a state dict saved with torch.save");
  }
  if (const ZipEntry* order = entry("byteorder"); order != nullptr && as_text(order->bytes) != "little") {
    return fail(ErrorCode::unsupported, "its byte order is \"{}\", expected \"little\"",
                printable(as_text(order->bytes), 20));
  }
  auto pickle = Pickle::parse(entry(kPickle)->bytes, &is_torch_name);
  if (!pickle) return in_context(kPickle, std::move(pickle).error());
  TERN_TRY(StateDict state, read_state_dict(*pickle, [&](std::string_view key) {
             const ZipEntry* storage = entry(fmt::format("data/{}", key));
             return storage == nullptr ? std::nullopt : std::optional(storage->bytes);
           }));
  tensors_ = std::move(state.tensors);
  notes_ = std::move(state.notes);
  for (std::size_t i = 0; i < tensors_.size(); ++i) places_.emplace(tensors_[i].name, i);
  return {};
}

const StoredTensor* PytorchFile::find(std::string_view tensor_name) const {
  const auto place = places_.find(tensor_name);
  return place == places_.end() ? nullptr : &tensors_[place->second];
}

void PytorchFile::release(std::span<const std::byte> bytes) const {
  file_.release(bytes);
}

const CheckpointType kPytorchType{
    .what = "a PyTorch checkpoint (ZIP or pickle)",
    .in_folder = "pytorch_model.bin",
    .endings = {".pt", ".pth", ".bin"},
    .looks_like = PytorchFile::looks_like,
    .open = [](const std::string& path) { return as_checkpoint_file(PytorchFile::open(path)); }};

}  // namespace tern::files
