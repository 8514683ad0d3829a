#include "h5.hpp"

#include "xlrm/core/error.hpp"

namespace xlrm::h5 {
namespace {

//! Appends one frame of the stack: "H5Fopen: unable to open file".
herr_t append_frame(unsigned, const H5E_error2_t* frame, void* text) noexcept {
    auto& message = *static_cast<std::string*>(text);
    if (!message.empty()) message += "; ";
    message += std::string(frame->func_name ? frame->func_name : "?") + ": " + (frame->desc ? frame->desc : "?");
    return 0;
}

Type copy_of(hid_t type) { return Type(check(H5Tcopy(type), "H5Tcopy", "a number type")); }

}  // namespace

void prepare_library() {
    static const bool prepared = [] {
        H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
        check(H5PLset_loading_state(0), "H5PLset_loading_state", "HDF5");
        return true;
    }();
    static_cast<void>(prepared);
}

void fail_call(std::string_view call, std::string_view object, std::source_location where) {
    std::string stack;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, append_frame, &stack);
    H5Eclear2(H5E_DEFAULT);
    throw Error(
        std::string(object) + ": " + std::string(call) + " failed: " + (stack.empty() ? "no reason given by HDF5" : stack),
        ExitCode::failure, where);
}

Type type_of(DType dtype) {
    switch (dtype) {
        case DType::f32:
            return copy_of(H5T_IEEE_F32LE);
        case DType::f64:
            return copy_of(H5T_IEEE_F64LE);
        case DType::f16:
        case DType::bf16: {
            const bool brain = dtype == DType::bf16;
            Type type = copy_of(H5T_IEEE_F32LE);
            const std::string name = dtype_name(dtype);
            const std::size_t exponent = brain ? 8 : 5;
            const std::size_t mantissa = 15 - exponent;
            check(H5Tset_fields(type.get(), 15, mantissa, exponent, 0, mantissa), "H5Tset_fields", name);
            check(H5Tset_size(type.get(), 2), "H5Tset_size", name);
            check(H5Tset_ebias(type.get(), brain ? 127 : 15), "H5Tset_ebias", name);
            return type;
        }
    }
    fail("unknown number format");
}

Type type_of_int32() { return copy_of(H5T_STD_I32LE); }
Type type_of_int64() { return copy_of(H5T_STD_I64LE); }

Type type_of_text() {
    Type type = copy_of(H5T_C_S1);
    check(H5Tset_size(type.get(), H5T_VARIABLE), "H5Tset_size", "text");
    check(H5Tset_cset(type.get(), H5T_CSET_UTF8), "H5Tset_cset", "text");
    return type;
}

}  // namespace xlrm::h5
