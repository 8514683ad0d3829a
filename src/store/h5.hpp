#pragma once

#include <hdf5.h>

#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

#include "xlrm/store/dtype.hpp"

namespace xlrm::h5 {

//! Silences the library's own printing and its loading of filter plug-ins, once a process. Called by whatever opens a file.
void prepare_library();

//! Throws Error: "OBJECT: CALL failed: <HDF5's error stack>".
[[noreturn]] void fail_call(std::string_view call, std::string_view object, std::source_location where);

//! The one check of every HDF5 call: passes the result through unless it is negative. `object` names file and dataset.
template <class Result>
Result check(Result result, std::string_view call, std::string_view object,
             std::source_location where = std::source_location::current()) {
    if (result < 0) fail_call(call, object, where);
    return result;
}

//! Sole owner of one hid_t. Every file here is opened by one process alone, so closing is never collective and also safe
//! while an exception unwinds. HDF5 may be called by one thread of a process at a time (Debian's build is not thread-safe).
template <class Traits>
class Handle {
public:
    Handle() = default;
    explicit Handle(hid_t id) noexcept : id_(id) {}
    ~Handle() { reset(); }
    Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, kNone)) {}
    Handle& operator=(Handle&& other) noexcept {
        if (this != &other) {
            reset();
            id_ = std::exchange(other.id_, kNone);
        }
        return *this;
    }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    hid_t get() const noexcept { return id_; }
    //! For the one whose closing may fail; HDF5's result.
    herr_t close() noexcept { return Traits::close(std::exchange(id_, kNone)); }

private:
    static constexpr hid_t kNone = -1;
    void reset() noexcept {
        if (id_ >= 0) Traits::close(id_);
        id_ = kNone;
    }
    hid_t id_ = kNone;
};

struct CloseFile {
    static herr_t close(hid_t id) noexcept { return H5Fclose(id); }
};
struct CloseGroup {
    static herr_t close(hid_t id) noexcept { return H5Gclose(id); }
};
struct CloseDataset {
    static herr_t close(hid_t id) noexcept { return H5Dclose(id); }
};
struct CloseSpace {
    static herr_t close(hid_t id) noexcept { return H5Sclose(id); }
};
struct CloseType {
    static herr_t close(hid_t id) noexcept { return H5Tclose(id); }
};
struct CloseAttribute {
    static herr_t close(hid_t id) noexcept { return H5Aclose(id); }
};
struct CloseProperties {
    static herr_t close(hid_t id) noexcept { return H5Pclose(id); }
};

using File = Handle<CloseFile>;
using Group = Handle<CloseGroup>;
using Dataset = Handle<CloseDataset>;
using Space = Handle<CloseSpace>;
using Type = Handle<CloseType>;
using Attribute = Handle<CloseAttribute>;
using Properties = Handle<CloseProperties>;

//! Little-endian element types, the same in file and memory. bf16 is a custom float (1, 8, 7 bits; bias 127), which h5py,
//! netCDF and R convert on reading.
Type type_of(DType dtype);
Type type_of_int32();
Type type_of_int64();
//! Variable-length UTF-8.
Type type_of_text();

template <class T>
Type type_for();
template <>
inline Type type_for<float>() {
    return type_of(DType::f32);
}
template <>
inline Type type_for<double>() {
    return type_of(DType::f64);
}
template <>
inline Type type_for<std::int32_t>() {
    return type_of_int32();
}
template <>
inline Type type_for<std::int64_t>() {
    return type_of_int64();
}

}  // namespace xlrm::h5
