#include "h5_write.hpp"

#include <hdf5_hl.h>

#include <algorithm>
#include <cstdio>

#include "xlrm/core/error.hpp"

namespace xlrm::h5 {
namespace {

constexpr hsize_t kChunkRows = 512;
constexpr hsize_t kChunkValues = 65536;
constexpr std::size_t kPieceBytes = std::size_t{4} << 20;  // of rows in memory at a time
constexpr unsigned kCreationOrder = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;

//! Attributes stay in the object header: HDF5 1.10 cannot move more than eight of them out when their order is tracked.
void order_attributes(const Properties& properties, const std::string& object) {
    check(H5Pset_attr_creation_order(properties.get(), kCreationOrder), "H5Pset_attr_creation_order", object);
    check(H5Pset_attr_phase_change(properties.get(), 512, 0), "H5Pset_attr_phase_change", object);
    check(H5Pset_obj_track_times(properties.get(), false), "H5Pset_obj_track_times", object);
}

hsize_t chunk_rows(const std::vector<hsize_t>& extents) {
    return std::min(extents[0], extents.size() == 1 ? kChunkValues : kChunkRows);
}

Properties new_properties(hid_t kind, const std::string& object) {
    return Properties(check(H5Pcreate(kind), "H5Pcreate", object));
}

void write_attribute(hid_t owner, const std::string& name, const Type& type, const void* value, const std::string& object) {
    const std::string place = object + ", attribute " + name;
    const Space space(check(H5Screate(H5S_SCALAR), "H5Screate", place));
    const Attribute attribute(
        check(H5Acreate2(owner, name.c_str(), type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT), "H5Acreate2", place));
    check(H5Awrite(attribute.get(), type.get(), value), "H5Awrite", place);
}

void write_text_attribute(hid_t owner, const std::string& name, const std::string& value, const std::string& object) {
    const char* text = value.c_str();
    write_attribute(owner, name, type_of_text(), &text, object);
}

}  // namespace

OutGroup OutGroup::group(const std::string& name) const {
    const std::string path = path_of(name);
    const Properties properties = new_properties(H5P_GROUP_CREATE, path);
    check(H5Pset_link_creation_order(properties.get(), kCreationOrder), "H5Pset_link_creation_order", path);
    order_attributes(properties, path);
    return OutGroup(
        Group(check(H5Gcreate2(group_.get(), name.c_str(), H5P_DEFAULT, properties.get(), H5P_DEFAULT), "H5Gcreate2", path)),
        path, target_);
}

void OutGroup::attribute(const std::string& name, const std::string& value) const {
    write_text_attribute(group_.get(), name, value, name_);
}

void OutGroup::attribute(const std::string& name, std::int64_t value) const {
    write_attribute(group_.get(), name, type_of_int64(), &value, name_);
}

void OutGroup::attribute(const std::string& name, double value) const {
    write_attribute(group_.get(), name, type_of(DType::f64), &value, name_);
}

void OutGroup::describe(const std::string& dataset, const std::string& attribute, const std::string& value) const {
    const std::string path = path_of(dataset);
    const Dataset target(check(H5Dopen2(group_.get(), dataset.c_str(), H5P_DEFAULT), "H5Dopen2", path));
    write_text_attribute(target.get(), attribute, value, path);
}

void OutGroup::describe(const std::string& dataset, const std::string& attribute, double value) const {
    const std::string path = path_of(dataset);
    const Dataset target(check(H5Dopen2(group_.get(), dataset.c_str(), H5P_DEFAULT), "H5Dopen2", path));
    write_attribute(target.get(), attribute, type_of(DType::f64), &value, path);
}

void OutGroup::dimension(const std::string& name, std::int64_t length) {
    // The type, the absence of values and the label are netCDF-4's mark of a dimension that is no variable.
    char label[64];
    std::snprintf(label, sizeof label, "This is a netCDF dimension but not a netCDF variable.%10lld",
                  static_cast<long long>(length));
    const Type type(check(H5Tcopy(H5T_IEEE_F32BE), "H5Tcopy", path_of(name)));
    add_scale(name, create(name, type, {static_cast<hsize_t>(length)}, false), length, label);
}

void OutGroup::dataset(const std::string& name, const std::vector<std::string>& dimensions, const Type& type,
                       std::span<const std::byte> bytes) const {
    const Dataset written = write(name, type, extents_of(name, dimensions), bytes);
    attach(written, name, dimensions);
}

void OutGroup::dataset(const std::string& name, const std::vector<std::string>& dimensions, const Type& type,
                       const ReadRows& read) const {
    const std::vector<hsize_t> extents = extents_of(name, dimensions);
    const Dataset target = create(name, type, extents, true);
    write_rows(target, type, extents, read, path_of(name));
    attach(target, name, dimensions);
}

void OutGroup::texts(const std::string& name, const std::string& dimension, const std::vector<std::string>& values) const {
    const std::string path = path_of(name);
    const std::vector<hsize_t> extents = extents_of(name, {dimension});
    if (extents[0] != values.size())
        fail(path + ": " + std::to_string(values.size()) + " texts for " + std::to_string(extents[0]) + " rows");
    std::vector<const char*> pointers;
    pointers.reserve(values.size());
    for (const std::string& value : values) {
        if (value.find('\0') != std::string::npos)
            fail(path + ": row " + std::to_string(pointers.size()) +
                 " holds a NUL character (HDF5 would cut the text there) remove it from the data");
        pointers.push_back(value.c_str());
    }
    const Type type = type_of_text();
    const Dataset target = create(name, type, extents, false);
    if (!values.empty())
        check(H5Dwrite(target.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers.data()), "H5Dwrite", path);
    attach(target, name, {dimension});
}

void OutGroup::external_link(const std::string& name, const std::string& file) const {
    check(H5Lcreate_external(file.c_str(), "/", group_.get(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT), "H5Lcreate_external",
          path_of(name));
}

Dataset OutGroup::create(const std::string& name, const Type& type, const std::vector<hsize_t>& extents, bool filtered) const {
    const std::string path = path_of(name);
    const Properties properties = new_properties(H5P_DATASET_CREATE, path);
    order_attributes(properties, path);
    const bool empty = std::find(extents.begin(), extents.end(), hsize_t{0}) != extents.end();
    if (filtered && !empty) {
        std::vector<hsize_t> chunk = extents;
        chunk[0] = chunk_rows(extents);
        check(H5Pset_chunk(properties.get(), static_cast<int>(chunk.size()), chunk.data()), "H5Pset_chunk", path);
        check(H5Pset_shuffle(properties.get()), "H5Pset_shuffle", path);
        check(H5Pset_deflate(properties.get(), 1), "H5Pset_deflate", path);
        check(H5Pset_fletcher32(properties.get()), "H5Pset_fletcher32", path);
    }
    const Space space(
        check(H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr), "H5Screate_simple", path));
    return Dataset(
        check(H5Dcreate2(group_.get(), name.c_str(), type.get(), space.get(), H5P_DEFAULT, properties.get(), H5P_DEFAULT),
              "H5Dcreate2", path));
}

Dataset OutGroup::write(const std::string& name, const Type& type, const std::vector<hsize_t>& extents,
                        std::span<const std::byte> bytes) const {
    const std::string path = path_of(name);
    std::size_t needed = H5Tget_size(type.get());
    for (const hsize_t extent : extents) needed *= extent;
    if (needed != bytes.size())
        fail(path + ": " + std::to_string(bytes.size()) + " bytes given, its dimensions need " + std::to_string(needed));
    Dataset target = create(name, type, extents, true);
    if (!bytes.empty()) check(H5Dwrite(target.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()), "H5Dwrite", path);
    return target;
}

void OutGroup::write_rows(const Dataset& target, const Type& type, const std::vector<hsize_t>& extents, const ReadRows& read,
                          const std::string& path) const {
    std::size_t row_bytes = H5Tget_size(type.get());
    for (std::size_t axis = 1; axis < extents.size(); ++axis) row_bytes *= extents[axis];
    if (row_bytes == 0) return;
    const hsize_t chunk = chunk_rows(extents);
    const hsize_t piece = chunk * std::max<hsize_t>(1, kPieceBytes / (chunk * row_bytes));
    const Space file(check(H5Dget_space(target.get()), "H5Dget_space", path));
    std::vector<std::byte> bytes;
    for (hsize_t first = 0; first < extents[0]; first += piece) {
        std::vector<hsize_t> begin(extents.size(), 0);
        std::vector<hsize_t> count = extents;
        begin[0] = first;
        count[0] = std::min(piece, extents[0] - first);
        bytes.resize(count[0] * row_bytes);
        read(static_cast<std::int64_t>(first), bytes);
        const Space memory(
            check(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr), "H5Screate_simple", path));
        check(H5Sselect_hyperslab(file.get(), H5S_SELECT_SET, begin.data(), nullptr, count.data(), nullptr),
              "H5Sselect_hyperslab", path);
        check(H5Dwrite(target.get(), type.get(), memory.get(), file.get(), H5P_DEFAULT, bytes.data()), "H5Dwrite", path);
        if (target_ != nullptr) target_->require_sound();
    }
}

void OutGroup::add_scale(const std::string& name, Dataset dataset, std::int64_t length, const std::string& label) {
    check(H5DSset_scale(dataset.get(), label.c_str()), "H5DSset_scale", path_of(name));
    scales_.emplace(name, Scale{std::move(dataset), length});
}

std::vector<hsize_t> OutGroup::extents_of(const std::string& name, const std::vector<std::string>& dimensions) const {
    std::vector<hsize_t> extents;
    for (const std::string& dimension : dimensions) {
        const auto found = scales_.find(dimension);
        if (found == scales_.end()) fail(path_of(name) + ": no dimension '" + dimension + "' in its group");
        extents.push_back(static_cast<hsize_t>(found->second.length));
    }
    return extents;
}

void OutGroup::attach(const Dataset& dataset, const std::string& name, const std::vector<std::string>& dimensions) const {
    for (std::size_t axis = 0; axis < dimensions.size(); ++axis)
        check(H5DSattach_scale(dataset.get(), scales_.at(dimensions[axis]).dataset.get(), static_cast<unsigned>(axis)),
              "H5DSattach_scale", path_of(name));
}

OutFile::OutFile(const std::string& name, std::size_t expected_bytes) : name_(name) {
    prepare_library();
    const Properties access = new_properties(H5P_FILE_ACCESS, name_);
    const std::size_t increment = std::clamp<std::size_t>(expected_bytes, std::size_t{1} << 16, std::size_t{1} << 26);
    check(H5Pset_fapl_core(access.get(), increment, false), "H5Pset_fapl_core", name_);
    create(access);
}

OutFile::OutFile(const std::string& name, const std::filesystem::path& path, std::int64_t most_bytes)
    : name_(name), target_(std::make_unique<FileTarget>(path, name, most_bytes)) {
    prepare_library();
    const Properties access = new_properties(H5P_FILE_ACCESS, name_);
    target_->use_in(access.get());
    create(access);
}

void OutFile::create(const Properties& access) {
    // A newer lower bound makes HDF5 1.10 write a wrong superblock checksum into images, and 2.0 has one by default.
    check(H5Pset_libver_bounds(access.get(), H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST), "H5Pset_libver_bounds", name_);
    const Properties creation = new_properties(H5P_FILE_CREATE, name_);
    check(H5Pset_link_creation_order(creation.get(), kCreationOrder), "H5Pset_link_creation_order", name_);
    order_attributes(creation, name_);
    file_ = File(check(H5Fcreate(name_.c_str(), H5F_ACC_TRUNC, creation.get(), access.get()), "H5Fcreate", name_));
}

void OutFile::close() {
    check(H5Fflush(file_.get(), H5F_SCOPE_LOCAL), "H5Fflush", name_);
    target_->freeze();
    check(file_.close(), "H5Fclose", name_);
    target_->finish();
}

std::int64_t most_bytes(std::int64_t rows, std::int64_t row_bytes) {
    constexpr std::int64_t kChunkIndex = 256;   // checksum and place of a chunk, with what a tree's nodes leave free
    constexpr std::int64_t kDataset = 1 << 14;  // headers, and the tree's root
    const std::int64_t chunk = std::min<std::int64_t>(rows, kChunkRows);
    if (chunk == 0) return kDataset;
    return (rows + chunk - 1) / chunk * (chunk * row_bytes + kChunkIndex) + kDataset;
}

OutGroup OutFile::root() const {
    return OutGroup(Group(check(H5Gopen2(file_.get(), "/", H5P_DEFAULT), "H5Gopen2", name_)), name_ + ":", target_.get());
}

std::string OutFile::image() const {
    check(H5Fflush(file_.get(), H5F_SCOPE_LOCAL), "H5Fflush", name_);
    const ssize_t size = check(H5Fget_file_image(file_.get(), nullptr, 0), "H5Fget_file_image", name_);
    std::string bytes(static_cast<std::size_t>(size), '\0');
    check(H5Fget_file_image(file_.get(), bytes.data(), bytes.size()), "H5Fget_file_image", name_);
    return bytes;
}

}  // namespace xlrm::h5
