#include "base/foreign_content.hpp"

#include <algorithm>
#include <array>

#include "base/byte_cursor.hpp"
#include "base/words.hpp"

namespace tern {
namespace {

struct Content {
  std::string_view begins;  // in any case of letters, after blanks
  std::string_view what;
};

constexpr std::string_view kPage = "an HTML page, not the file itself: use the link that downloads it";

constexpr std::array<Content, 6> kContents{{{"version https://git-lfs.github.com/spec/",
                                             "a Git LFS pointer, not the file itself: run git lfs pull in its folder"},
                                            {"<!doctype html", kPage},
                                            {"<html", kPage},
                                            {"<?xml", "an XML document, not the file itself: download it again"},
                                            {"\x1f\x8b", "compressed by gzip: decompress it first"},
                                            {"\x28\xb5\x2f\xfd", "compressed by zstd: decompress it first"}}};

}  // namespace

std::string_view foreign_content(std::span<const std::byte> bytes) {
  std::string_view text = as_text(bytes.first(std::min<std::size_t>(bytes.size(), 256)));
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  for (const Content& content : kContents) {
    if (equal_ignoring_case(text.substr(0, content.begins.size()), content.begins)) return content.what;
  }
  return {};
}

}  // namespace tern
