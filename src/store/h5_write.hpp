#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "h5.hpp"

namespace xlrm::h5 {

//! A group being written, by the rules of netCDF-4: every dataset is attached to named dimensions of its own group, link and
//! attribute creation order is tracked, no object times are kept (equal content gives equal bytes).
class OutGroup {
public:
    //! `name` is how messages call it ("cell.h5:/scores").
    OutGroup(Group group, std::string name) : group_(std::move(group)), name_(std::move(name)) {}

    //! REQUIRES: no group of this name yet.
    OutGroup group(const std::string& name) const;

    void attribute(const std::string& name, const std::string& value) const;
    void attribute(const std::string& name, std::int64_t value) const;
    void attribute(const std::string& name, double value) const;
    //! The same on a dataset of this group.
    void describe(const std::string& dataset, const std::string& attribute, const std::string& value) const;

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
    void add_scale(const std::string& name, Dataset dataset, std::int64_t length, const std::string& label);
    std::vector<hsize_t> extents_of(const std::string& name, const std::vector<std::string>& dimensions) const;
    void attach(const Dataset& dataset, const std::string& name, const std::vector<std::string>& dimensions) const;
    std::string path_of(const std::string& name) const { return name_ + "/" + name; }

    Group group_;
    std::string name_;
    std::map<std::string, Scale> scales_;
};

//! A file built in memory. Disk errors so come from plain writes: HDF5's own driver reports success on a full disk and
//! crashes at exit.
class OutFile {
public:
    //! `name` is used in messages; `expected_bytes` sizes the growth of the buffer.
    explicit OutFile(const std::string& name, std::size_t expected_bytes = 0);
    OutGroup root() const;
    //! The finished file. REQUIRES: nothing is written afterwards.
    std::string image() const;

private:
    std::string name_;
    File file_;
};

}  // namespace xlrm::h5
