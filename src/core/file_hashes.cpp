#include "xlrm/core/file_hashes.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/core/sha256.hpp"

namespace xlrm {

namespace {

namespace fs = std::filesystem;

constexpr const char* kSchema = "XLRM-hashes-1";
constexpr std::int64_t kSettledNs = 2'000'000'000;

std::int64_t ns_of(const timespec& time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

std::int64_t now_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

FileHashes::FileHashes(fs::path cache) : cache_(fs::absolute(std::move(cache)).lexically_normal()) {}

FileHashes::Stamp FileHashes::stamp_of(const fs::path& path) {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0) fail("cannot read " + path.string() + ": " + std::strerror(errno), ExitCode::io);
    return {std::int64_t{facts.st_size}, ns_of(facts.st_mtim), ns_of(facts.st_ctim), static_cast<std::int64_t>(facts.st_ino)};
}

// Below the cache's folder the name is relative, so that the folder may be moved.
std::string FileHashes::name_of(const fs::path& path) const {
    const fs::path whole = fs::absolute(path).lexically_normal();
    if (cache_.empty()) return whole.string();
    const fs::path relative = whole.lexically_relative(cache_.parent_path());
    return relative.empty() || *relative.begin() == ".." ? whole.string() : relative.string();
}

std::string FileHashes::sha256(const fs::path& path) {
    load();
    const Stamp before = stamp_of(path);
    Entry& entry = entries_[name_of(path)];
    if (!entry.sha256.empty() && entry.stamp == before) return entry.sha256;
    const std::int64_t start = now_ns();
    entry = {before, sha256_file(path), start - std::max(before[1], before[2]) > kSettledNs};
    if (stamp_of(path) != before) entry.stamp = {};  // it changes while it is read: asked again, it is read again
    changed_ = true;
    ++files_read_;
    bytes_read_ += before[0];
    return entry.sha256;
}

void FileHashes::load() {
    if (loaded_) return;
    loaded_ = true;
    std::error_code error;
    if (cache_.empty() || !fs::exists(cache_, error)) return;
    try {
        const Json json = read_json(cache_);
        if (json.at("schema") != kSchema) return;
        for (const auto& [name, entry] : json.at("files").items()) {
            entries_[name] = {{entry.at(0), entry.at(1), entry.at(2), entry.at(3)}, entry.at(4), true};
        }
    } catch (const std::exception&) {
        entries_.clear();  // a cache: what it held is computed again
    }
}

void FileHashes::save() {
    if (cache_.empty() || !changed_) return;
    Json files = Json::object();
    for (const auto& [name, entry] : entries_) {
        const Stamp& s = entry.stamp;
        if (entry.settled && s != Stamp{}) files[name] = {s[0], s[1], s[2], s[3], entry.sha256};
    }
    try {
        write_file_atomic(cache_, Json{{"schema", kSchema}, {"files", files}}.dump() + "\n");
        changed_ = false;
    } catch (const std::exception&) {  // a folder of somebody else
    }
}

}  // namespace xlrm
