#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace xlrm {

//! Whole file as bytes. Throws Error(io) naming the path and the system's reason.
std::string read_file(const std::filesystem::path& path);

//! Lines of a text file, `.gz` decompressed on the way; calls `line(number, text)` with numbers from 1, without the line
//! end (LF or CRLF). A last line without a line end counts. Throws Error(io) when the file cannot be read or the gzip
//! stream is broken.
void for_each_line(const std::filesystem::path& path, const std::function<void(std::int64_t, std::string_view)>& line);

//! Writes `bytes` so that `path` is either the old file or the whole new one: temporary file in the same folder
//! (O_CREAT|O_EXCL|O_NOFOLLOW, mode 0640), full write, fsync, rename, fsync of the folder. The folder is made if missing.
//! Throws Error(io) with the path and the reason (a full disk among them) and leaves nothing behind.
void write_file_atomic(const std::filesystem::path& path, std::string_view bytes);

//! Like write_file_atomic, for contents that do not fit in memory: `write(fd_path)` makes the temporary file under the path
//! that it is given (nothing is there yet).
void write_file_atomic(const std::filesystem::path& path, const std::function<void(const std::filesystem::path&)>& write);

//! Appends one line with a single write(2) and fsync. A torn last line of a writer that died is closed first, so that a torn line
//! never takes the next one with it. One writer at a time. Throws Error(io).
void append_line(const std::filesystem::path& path, std::string_view line);

//! Checks that a file may be created in `folder` (made if missing) and that `bytes` fit on its disk. Throws Error(io).
void require_writable(const std::filesystem::path& folder, std::int64_t bytes = 0);

//! Removes temporary files of write_file_atomic that dead processes left in `folder` (not recursive). Returns their number. Only
//! processes of this host are seen, so call it before other hosts write there.
int remove_stale_temporaries(const std::filesystem::path& folder);

}  // namespace xlrm
