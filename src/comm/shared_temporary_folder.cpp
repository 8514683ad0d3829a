#include "xlrm/comm/shared_temporary_folder.hpp"

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {

SharedTemporaryFolder::SharedTemporaryFolder(const Communicator& world, const std::string& program) : owner_(world.root()) {
    std::string name;
    on_root(world, [&] {
        name = (std::filesystem::temp_directory_path() / (program + "-XXXXXX")).string();
        if (mkdtemp(name.data()) == nullptr)
            fail(name + ": the folder cannot be made (" + std::strerror(errno) + "); set TMPDIR", ExitCode::io);
    });
    path_ = world.broadcast(name);
}

SharedTemporaryFolder::~SharedTemporaryFolder() {
    std::error_code ignored;
    if (owner_) std::filesystem::remove_all(path_, ignored);
}

}  // namespace xlrm
