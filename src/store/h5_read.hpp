#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "h5.hpp"
#include "xlrm/core/json.hpp"

namespace xlrm::h5 {

//! Values and extents of one dataset.
template <class T>
struct Table {
    std::vector<T> values;
    std::vector<std::int64_t> extents;
    std::int64_t rows() const { return extents.empty() ? 0 : extents.front(); }
};

//! A file opened for reading. Only hard links and data stored in the file itself are followed: external links, external
//! storage and virtual datasets would read other files. Every failure is an Error naming the file and the object.
class InFile {
public:
    explicit InFile(const std::filesystem::path& path);

    const std::string& name() const { return name_; }
    bool contains(const std::string& path) const;
    //! Names of a group's members, sorted.
    std::vector<std::string> members(const std::string& group) const;
    //! T: float, double, std::int32_t, std::int64_t. Stored floats of any width are converted to T; integers likewise.
    template <class T>
    Table<T> read(const std::string& path) const;
    //! The same into `table`, whose memory is used again where it suffices, as that of `bits` (of 16-bit floats) is. `rows`: the
    //! values of the first so many rows alone, or of all that there are where they are fewer or it is below 0; table.extents
    //! are those of the dataset.
    template <class T>
    void read_into(const std::string& path, Table<T>& table, std::vector<std::uint16_t>& bits, std::int64_t rows = -1) const;
    //! Values [first, first + count) of a dataset of one dimension.
    std::vector<std::int32_t> read_range(const std::string& path, std::int64_t first, std::int64_t count) const;
    //! Extent of a dataset of one dimension.
    std::int64_t length(const std::string& path) const;
    std::vector<std::string> texts(const std::string& path) const;
    //! Scalar attributes of a group as numbers and texts.
    Json attributes(const std::string& group = "/") const;
    //! Refuses files whose Conventions or schema_version are others, by name.
    void require_schema(const std::string& conventions, std::int64_t version) const;

private:
    Dataset open(const std::string& path) const;

    std::string name_;
    File file_;
};

}  // namespace xlrm::h5
