#include "reader.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace xlrm_fuzz {
namespace {

namespace fs = std::filesystem;

//! In memory where the system has such a file system; removed when the process ends in order.
class OwnFolder {
public:
    OwnFolder() {
        const fs::path parent = fs::exists("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path();
        path_ = parent / ("xlrm-fuzz." + std::to_string(::getpid()));
        fs::create_directories(path_);
    }
    ~OwnFolder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    OwnFolder(const OwnFolder&) = delete;
    OwnFolder& operator=(const OwnFolder&) = delete;
    const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

}  // namespace

fs::path as_file(const std::uint8_t* data, std::size_t size, const std::string& name) {
    static const OwnFolder folder;
    const fs::path path = folder.path() / name;
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
    out.close();
    if (!out) std::abort();
    return path;
}

}  // namespace xlrm_fuzz
