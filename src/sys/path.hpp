// The pieces of a path, as text: nothing here looks at the disk, and what comes out joins up to the path that went in,
// so that messages name files as the user did.
#pragma once

#include <string>
#include <string_view>

namespace tern::sys {

/// All before the last slash: "a/b" of "a/b/c". "." where there is no slash, "/" of a file at the root.
[[nodiscard]] std::string folder_of(std::string_view path);

/// All behind the last slash; the whole path where there is none, "" of a path that ends with one.
[[nodiscard]] std::string file_name_of(std::string_view path);

/// The file name without its last ending: "a.b" of "x/a.b.bin". A name that only begins with a dot has no ending.
[[nodiscard]] std::string stem_of(std::string_view path);

/// The path of another file in the folder of `path`: "a/c" of "a/b" and "c", "c" of "b".
[[nodiscard]] std::string beside(std::string_view path, std::string_view name);

/// "a/b" of "a/b//"; "/" stays.
[[nodiscard]] std::string without_final_slashes(std::string_view path);

/// What `path` is called while it is written: "PATH.tmp-PID" with this process's number.
[[nodiscard]] std::string temporary_of(std::string_view path);

/// The "a/b" of "a/b.tmp-123", whatever the process; "" of a path that names no temporary.
[[nodiscard]] std::string_view written_as(std::string_view temporary);

}  // namespace tern::sys
