#include "ops/device_ops.hpp"

#include <cstdlib>
#include <string>

#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

bool wants_reference() {
    const char* const value = std::getenv("XLRM_OPS");
    const std::string name = value == nullptr ? "" : value;
    if (name == "reference") return true;
    require(name.empty() || name == "own",
            "XLRM_OPS is '" + name + "' (it says which operators compute); set it to own or reference, or leave it out",
            ExitCode::usage);
    return false;
}

}  // namespace

const DeviceOps& ops_for(at::Device device) {
    static const bool reference = wants_reference();
    return reference || !device.is_cpu() ? reference_ops() : cpu_ops();
}

}  // namespace xlrm
