#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace xlrm {

//! The first bytes of a file, `size` or fewer. Throws Error(io).
std::string read_beginning(const std::filesystem::path& path, std::size_t size);

//! Whole file as bytes. Throws Error(io) naming the path and the system's reason.
std::string read_file(const std::filesystem::path& path);

//! Lines of a text file, gzip data (told by its first bytes) decompressed on the way; calls `line(number, text)` with numbers
//! from 1, without the line end (LF or CRLF). A last line without a line end counts. Members of gzip data that follow one another
//! are read as one, and zeros after a member are padding. Throws Error(io) when the file cannot be read, is named .gz and is not
//! gzip data, ends within a member, or goes on after one with anything else.
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

//! A name beside `path` for a file or a folder in the making: ".xlrm-tmp.<machine>.<pid>.<start>.<n>.<name>". No other process,
//! on this machine or another, ever gets the same (process_identity.hpp).
std::filesystem::path temporary_beside(const std::filesystem::path& path);

//! Removes what writers that are surely dead left in `folder` (not recursive) under names of temporary_beside; returns how many.
//! Of this machine: where the process has ended, even if its id has been given to another. Of another machine: where nothing has
//! been written for an hour by the file system's own clock, since that machine's processes cannot be seen.
int remove_stale_temporaries(const std::filesystem::path& folder);

}  // namespace xlrm
