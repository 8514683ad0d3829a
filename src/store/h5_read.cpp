#include "h5_read.hpp"

#include <sstream>
#include <type_traits>

#include "xlrm/core/error.hpp"

namespace xlrm::h5 {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 40;

//! Extents of a dataset; more bytes than any machine has are refused before memory is asked for.
std::vector<std::int64_t> extents_of(const Dataset& dataset, std::size_t element_bytes, const std::string& place) {
    const Space space(check(H5Dget_space(dataset.get()), "H5Dget_space", place));
    const int rank = check(H5Sget_simple_extent_ndims(space.get()), "H5Sget_simple_extent_ndims", place);
    std::vector<hsize_t> sizes(static_cast<std::size_t>(rank));
    check(H5Sget_simple_extent_dims(space.get(), sizes.data(), nullptr), "H5Sget_simple_extent_dims", place);
    std::size_t bytes = element_bytes;
    for (const hsize_t size : sizes)
        if (__builtin_mul_overflow(bytes, size, &bytes) || bytes > kMostBytes) fail(place + ": absurdly large (a damaged file?)");
    return {sizes.begin(), sizes.end()};
}

std::string text_attribute(const Attribute& attribute, const std::string& place) {
    const Type type = type_of_text();
    char* text = nullptr;
    check(H5Aread(attribute.get(), type.get(), &text), "H5Aread", place);
    std::string result = text == nullptr ? "" : text;
    H5free_memory(text);
    return result;
}

Json attribute_value(const Attribute& attribute, const std::string& place) {
    const Type type(check(H5Aget_type(attribute.get()), "H5Aget_type", place));
    const Space space(check(H5Aget_space(attribute.get()), "H5Aget_space", place));
    if (check(H5Sget_simple_extent_npoints(space.get()), "H5Sget_simple_extent_npoints", place) != 1) return nullptr;
    switch (H5Tget_class(type.get())) {
        case H5T_STRING:
            return check(H5Tis_variable_str(type.get()), "H5Tis_variable_str", place) > 0 ? Json(text_attribute(attribute, place))
                                                                                          : Json();
        case H5T_INTEGER: {
            std::int64_t value = 0;
            check(H5Aread(attribute.get(), H5T_NATIVE_INT64, &value), "H5Aread", place);
            return value;
        }
        case H5T_FLOAT: {
            double value = 0.0;
            check(H5Aread(attribute.get(), H5T_NATIVE_DOUBLE, &value), "H5Aread", place);
            return value;
        }
        default:
            return nullptr;
    }
}

//! The first `rows` rows of a dataset, into as many values.
void read_first_rows(const Dataset& dataset, const Type& type, const std::vector<std::int64_t>& extents, std::int64_t rows,
                     void* values, const std::string& place) {
    if (rows == extents.front()) {
        check(H5Dread(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values), "H5Dread", place);
        return;
    }
    const std::vector<hsize_t> start(extents.size(), 0);
    std::vector<hsize_t> size(extents.begin(), extents.end());
    size.front() = static_cast<hsize_t>(rows);
    const Space in_file(check(H5Dget_space(dataset.get()), "H5Dget_space", place));
    check(H5Sselect_hyperslab(in_file.get(), H5S_SELECT_SET, start.data(), nullptr, size.data(), nullptr), "H5Sselect_hyperslab",
          place);
    const Space in_memory(
        check(H5Screate_simple(static_cast<int>(size.size()), size.data(), nullptr), "H5Screate_simple", place));
    check(H5Dread(dataset.get(), type.get(), in_memory.get(), in_file.get(), H5P_DEFAULT, values), "H5Dread", place);
}

//! bf16 → float by shifts: HDF5's own conversion of a custom float goes bit by bit. False when `stored` is another type.
template <class T>
bool read_brain_floats(const Dataset& dataset, const Type& stored, const Table<T>& table, std::int64_t rows,
                       const std::string& place, std::vector<std::uint16_t>& bits, std::vector<T>& values) {
    const Type brain = type_of(DType::bf16);
    if (check(H5Tequal(stored.get(), brain.get()), "H5Tequal", place) == 0) return false;
    bits.resize(values.size());
    if (!bits.empty()) read_first_rows(dataset, brain, table.extents, rows, bits.data(), place);
    for (std::size_t i = 0; i < bits.size(); ++i) values[i] = static_cast<T>(from_bf16(bits[i]));
    return true;
}

//! What a schema's files hold, for who gave one in place of another.
std::string content_of(const std::string& conventions) {
    if (conventions == "XLRM-1") return "the cell of an evaluation";
    if (conventions == "XLRM-items-1") return "items that xlrm_prepare made";
    if (conventions == "XLRM-states-1") return "states that xlrm_inspect wrote";
    if (conventions == "XLRM-index-1") return "the index of a sweep";
    return "not known to xlrm";
}

herr_t append_name(hid_t, const char* name, const H5L_info_t*, void* names) {
    static_cast<std::vector<std::string>*>(names)->emplace_back(name);
    return 0;
}

herr_t append_attribute(hid_t, const char* name, const H5A_info_t*, void* names) {
    static_cast<std::vector<std::string>*>(names)->emplace_back(name);
    return 0;
}

}  // namespace

InFile::InFile(const std::filesystem::path& path) : name_(path.string()) {
    prepare_library();
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) fail(name_ + ": no such file", ExitCode::io);
    file_ = File(check(H5Fopen(name_.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), "H5Fopen", name_));
}

bool InFile::contains(const std::string& path) const {
    std::istringstream parts(path);
    std::string part;
    std::string so_far;
    while (std::getline(parts, part, '/')) {
        if (part.empty()) continue;
        so_far += "/" + part;
        const std::string place = name_ + ":" + so_far;
        if (check(H5Lexists(file_.get(), so_far.c_str(), H5P_DEFAULT), "H5Lexists", place) == 0) return false;
        H5L_info_t info;
        check(H5Lget_info(file_.get(), so_far.c_str(), &info, H5P_DEFAULT), "H5Lget_info", place);
        if (info.type != H5L_TYPE_HARD) fail(place + " is a link to elsewhere (it could read any file) use the file itself");
    }
    return true;
}

std::vector<std::string> InFile::members(const std::string& group) const {
    const std::string place = name_ + ":" + group;
    if (!contains(group)) fail(place + ": no such group");
    const Group opened(check(H5Gopen2(file_.get(), group.c_str(), H5P_DEFAULT), "H5Gopen2", place));
    std::vector<std::string> names;
    check(H5Literate(opened.get(), H5_INDEX_NAME, H5_ITER_INC, nullptr, append_name, &names), "H5Literate", place);
    return names;
}

Dataset InFile::open(const std::string& path) const {
    const std::string place = name_ + ":" + path;
    if (!contains(path)) fail(place + ": no such dataset");
    Dataset dataset(check(H5Dopen2(file_.get(), path.c_str(), H5P_DEFAULT), "H5Dopen2", place));
    const Properties properties(check(H5Dget_create_plist(dataset.get()), "H5Dget_create_plist", place));
    const H5D_layout_t layout = H5Pget_layout(properties.get());
    if (layout == H5D_VIRTUAL || H5Pget_external_count(properties.get()) != 0)
        fail(place + " keeps its data in other files (it could read any file) use a file written by xlrm");
    return dataset;
}

template <class T>
Table<T> InFile::read(const std::string& path) const {
    Table<T> table;
    std::vector<std::uint16_t> bits;
    read_into(path, table, bits);
    return table;
}

template <class T>
void InFile::read_into(const std::string& path, Table<T>& table, std::vector<std::uint16_t>& bits, std::int64_t rows) const {
    const std::string place = name_ + ":" + path;
    const Dataset dataset = open(path);
    const Type stored(check(H5Dget_type(dataset.get()), "H5Dget_type", place));
    const H5T_class_t expected = std::is_floating_point_v<T> ? H5T_FLOAT : H5T_INTEGER;
    if (H5Tget_class(stored.get()) != expected)
        fail(place + ": holds other values than " + (expected == H5T_FLOAT ? "floating-point numbers" : "integers"));
    table.extents = extents_of(dataset, sizeof(T), place);
    const std::int64_t kept = rows < 0 ? table.rows() : std::min(rows, table.rows());
    std::size_t count = 1;
    for (std::size_t axis = 0; axis < table.extents.size(); ++axis)
        count *= static_cast<std::size_t>(axis == 0 ? kept : table.extents[axis]);
    table.values.resize(count);
    if (std::is_same_v<T, float> && read_brain_floats(dataset, stored, table, kept, place, bits, table.values)) return;
    const Type type = type_for<T>();
    if (count == 0) return;
    if (table.extents.empty())
        check(H5Dread(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, table.values.data()), "H5Dread", place);
    else
        read_first_rows(dataset, type, table.extents, kept, table.values.data(), place);
}

template void InFile::read_into(const std::string&, Table<float>&, std::vector<std::uint16_t>&, std::int64_t) const;
template Table<float> InFile::read(const std::string&) const;
template Table<double> InFile::read(const std::string&) const;
template Table<std::int32_t> InFile::read(const std::string&) const;
template Table<std::int64_t> InFile::read(const std::string&) const;

std::vector<std::int32_t> InFile::read_range(const std::string& path, std::int64_t first, std::int64_t count) const {
    const std::string place = name_ + ":" + path;
    const std::int64_t rows = length(path);
    if (first < 0 || count < 0 || first > rows - count) fail(place + ": has fewer values than are asked for");
    const Dataset dataset = open(path);
    const Type type = type_for<std::int32_t>();
    std::vector<std::int32_t> values(static_cast<std::size_t>(count));
    if (values.empty()) return values;
    const hsize_t start = static_cast<hsize_t>(first);
    const hsize_t size = static_cast<hsize_t>(count);
    const Space in_file(check(H5Dget_space(dataset.get()), "H5Dget_space", place));
    check(H5Sselect_hyperslab(in_file.get(), H5S_SELECT_SET, &start, nullptr, &size, nullptr), "H5Sselect_hyperslab", place);
    const Space in_memory(check(H5Screate_simple(1, &size, nullptr), "H5Screate_simple", place));
    check(H5Dread(dataset.get(), type.get(), in_memory.get(), in_file.get(), H5P_DEFAULT, values.data()), "H5Dread", place);
    return values;
}

std::int64_t InFile::length(const std::string& path) const {
    const std::string place = name_ + ":" + path;
    const Dataset dataset = open(path);
    const Type stored(check(H5Dget_type(dataset.get()), "H5Dget_type", place));
    if (H5Tget_class(stored.get()) != H5T_INTEGER) fail(place + ": holds other values than integers");
    const std::vector<std::int64_t> extents = extents_of(dataset, sizeof(std::int64_t), place);
    if (extents.size() != 1) fail(place + ": is not one-dimensional");
    return extents[0];
}

std::vector<std::string> InFile::texts(const std::string& path) const {
    const std::string place = name_ + ":" + path;
    const Dataset dataset = open(path);
    const Type stored(check(H5Dget_type(dataset.get()), "H5Dget_type", place));
    const Space space(check(H5Dget_space(dataset.get()), "H5Dget_space", place));
    if (H5Tget_class(stored.get()) != H5T_STRING || H5Tis_variable_str(stored.get()) <= 0)
        fail(place + ": holds other values than variable-length texts");
    const std::vector<std::int64_t> extents = extents_of(dataset, sizeof(char*), place);
    if (extents.size() != 1) fail(place + ": is not one-dimensional");
    std::vector<char*> pointers(static_cast<std::size_t>(extents[0]), nullptr);
    std::vector<std::string> result;
    if (pointers.empty()) return result;
    const Type type = type_of_text();
    check(H5Dread(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers.data()), "H5Dread", place);
    result.reserve(pointers.size());
    for (const char* text : pointers) result.emplace_back(text == nullptr ? "" : text);
    check(H5Dvlen_reclaim(type.get(), space.get(), H5P_DEFAULT, pointers.data()), "H5Dvlen_reclaim", place);
    return result;
}

Json InFile::attributes(const std::string& group) const {
    const std::string where = name_ + ":" + group;
    if (!contains(group)) fail(where + ": no such group");
    const Group opened(check(H5Gopen2(file_.get(), group.c_str(), H5P_DEFAULT), "H5Gopen2", where));
    std::vector<std::string> names;
    check(H5Aiterate2(opened.get(), H5_INDEX_NAME, H5_ITER_INC, nullptr, append_attribute, &names), "H5Aiterate2", where);
    Json result = Json::object();
    for (const std::string& name : names) {
        const std::string place = where + ", attribute " + name;
        const Attribute attribute(check(H5Aopen(opened.get(), name.c_str(), H5P_DEFAULT), "H5Aopen", place));
        Json value = attribute_value(attribute, place);
        if (!value.is_null()) result[name] = std::move(value);
    }
    return result;
}

void InFile::require_schema(const std::string& conventions, std::int64_t version) const {
    const Json found = attributes();
    if (const Json stored = found.value("Conventions", Json()); stored != Json(conventions))
        fail(name_ + ": not an " + conventions + " file (" + content_of(conventions) + "): " +
             (stored.is_string() ? "its Conventions are " + stored.dump() + " (" + content_of(stored.get<std::string>()) + ")"
                                 : "it names no Conventions"));
    if (found.value("schema_version", Json()) != Json(version))
        fail(name_ + ": schema version " + found.value("schema_version", Json()).dump() + ", this xlrm reads " +
             std::to_string(version) + " make the file again with this xlrm");
}

}  // namespace xlrm::h5
