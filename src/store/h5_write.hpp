#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "h5.hpp"
#include "h5_file_driver.hpp"

namespace xlrm::h5 {

//! Fills `out` with the rows from `first` on.
using ReadRows = std::function<void(std::int64_t first, std::span<std::byte> out)>;

//! A group being written, by the rules of netCDF-4: every dataset is attached to named dimensions of its own group, link and
//! attribute creation order is tracked, no object times are kept (equal content gives equal bytes).
class OutGroup {
public:
    //! `name` is how messages call it ("cell.h5:/scores"); `target` is where its file is written, if not into memory.
    OutGroup(Group group, std::string name, const FileTarget* target)
        : group_(std::move(group)), name_(std::move(name)), target_(target) {}

    //! REQUIRES: no group of this name yet.
    OutGroup group(const std::string& name) const;

    void attribute(const std::string& name, const std::string& value) const;
    void attribute(const std::string& name, std::int64_t value) const;
    void attribute(const std::string& name, double value) const;
    //! The same on a dataset of this group.
    void describe(const std::string& dataset, const std::string& attribute, const std::string& value) const;
    void describe(const std::string& dataset, const std::string& attribute, double value) const;

    //! A dimension without values.
    void dimension(const std::string& name, std::int64_t length);
    //! A dimension with its coordinates.
    template <class T>
    void coordinate(const std::string& name, std::span<const T> values) {
        Dataset dataset = write(name, type_for<T>(), {static_cast<hsize_t>(values.size())}, std::as_bytes(values));
        add_scale(name, std::move(dataset), static_cast<std::int64_t>(values.size()), name);
    }
    //! Row-major values over dimensions of this group.
    template <class T>
    void dataset(const std::string& name, const std::vector<std::string>& dimensions, std::span<const T> values) const {
        dataset(name, dimensions, type_for<T>(), std::as_bytes(values));
    }
    void dataset(const std::string& name, const std::vector<std::string>& dimensions, const Type& type,
                 std::span<const std::byte> bytes) const;
    //! Rows that need not be in memory together: `read` is asked for a few megabytes at a time, whole chunks in ascending order,
    //! so that the file has the bytes that it has when all rows are given at once.
    void dataset(const std::string& name, const std::vector<std::string>& dimensions, const Type& type,
                 const ReadRows& read) const;
    //! Variable-length UTF-8. Throws Error for a text with a NUL character, which would be cut there.
    void texts(const std::string& name, const std::string& dimension, const std::vector<std::string>& values) const;

    //! A link to the root of another file, by a name relative to the folder of this one.
    void external_link(const std::string& name, const std::string& file) const;

private:
    struct Scale {
        Dataset dataset;
        std::int64_t length = 0;
    };
    Dataset create(const std::string& name, const Type& type, const std::vector<hsize_t>& extents, bool filtered) const;
    Dataset write(const std::string& name, const Type& type, const std::vector<hsize_t>& extents,
                  std::span<const std::byte> bytes) const;
    void write_rows(const Dataset& target, const Type& type, const std::vector<hsize_t>& extents, const ReadRows& read,
                    const std::string& path) const;
    void add_scale(const std::string& name, Dataset dataset, std::int64_t length, const std::string& label);
    std::vector<hsize_t> extents_of(const std::string& name, const std::vector<std::string>& dimensions) const;
    void attach(const Dataset& dataset, const std::string& name, const std::vector<std::string>& dimensions) const;
    std::string path_of(const std::string& name) const { return name_ + "/" + name; }

    Group group_;
    std::string name_;
    const FileTarget* target_;
    std::map<std::string, Scale> scales_;
};

//! Bytes of a dataset of `rows` rows of `row_bytes` each, at most: what its chunks take where they cannot be compressed, and its
//! index of them.
std::int64_t most_bytes(std::int64_t rows, std::int64_t row_bytes);

//! A file built in memory, or on the disk where it may be too large for that. Disk errors never come from HDF5, whose own driver
//! reports success on a full disk and crashes at exit: an image is written plainly, and for a file there is FileTarget. Equal
//! content gives equal bytes, either way.
class OutFile {
public:
    //! In memory. `name` is used in messages; `expected_bytes` sizes the growth of the buffer.
    explicit OutFile(const std::string& name, std::size_t expected_bytes = 0);
    //! At `path`, where nothing is yet and a disk's `most_bytes` are reserved. Throws Error(io).
    OutFile(const std::string& name, const std::filesystem::path& path, std::int64_t most_bytes);
    OutGroup root() const;
    //! The finished file, of one in memory. REQUIRES: nothing is written afterwards.
    std::string image() const;
    //! Closes and syncs one at a path. REQUIRES: none of its groups is left. Throws Error(io).
    void close();

private:
    void create(const Properties& access);
    std::string name_;
    std::unique_ptr<FileTarget> target_;  // before file_, which closes into it
    File file_;
};

}  // namespace xlrm::h5
