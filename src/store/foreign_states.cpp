#include "xlrm/store/foreign_states.hpp"

#include <cmath>
#include <memory>
#include <set>

#include "cell_layout.hpp"
#include "h5_read.hpp"
#include "npy_file.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {

namespace {

namespace fs = std::filesystem;

constexpr const char* kSides[] = {"chosen", "rejected"};

void check_ids(const std::string& place, const std::vector<std::string>& ids) {
    if (ids.empty()) fail(place + ": no id, so there is no item");
    std::set<std::string> seen;
    for (const std::string& id : ids)
        if (!seen.insert(id).second)
            fail(place + ": the id '" + id +
                 "' comes twice, so its states cannot be told apart; give each item an id of its own");
}

void check_finite(const std::string& place, const std::vector<float>& values) {
    for (const float value : values)
        if (!std::isfinite(value))
            fail(place + ": holds a value that is not finite, so nothing can be compared; leave the item out");
}

//! A dataset of two dimensions with a row for each item.
std::vector<float> rows_of(const h5::InFile& file, const std::string& path, std::size_t items, std::int64_t* features) {
    h5::Table<float> table = file.read<float>(path);
    const std::string place = file.name() + ":" + path;
    if (table.extents.size() != 2 || table.rows() != static_cast<std::int64_t>(items))
        fail(place + ": must be (item, feature) with the " + std::to_string(items) + " items of /id");
    if (*features != 0 && table.extents[1] != *features)
        fail(place + ": has " + std::to_string(table.extents[1]) + " features, other layers or sides have " +
             std::to_string(*features));
    *features = table.extents[1];
    check_finite(place, table.values);
    return std::move(table.values);
}

std::vector<float> scores_of(const h5::InFile& file, const std::string& path, std::size_t items) {
    h5::Table<float> table = file.read<float>(path);
    if (table.extents.size() != 1 || table.values.size() != items)
        fail(file.name() + ":" + path + ": must have a score for each of the " + std::to_string(items) + " items of /id");
    check_finite(file.name() + ":" + path, table.values);
    return std::move(table.values);
}

ForeignStates from_h5(const fs::path& path) {
    const auto file = std::make_shared<h5::InFile>(path);
    ForeignStates states;
    if (!file->contains("/id"))
        fail(path.string() + ":/id: is missing, so rows cannot be matched with items; write a text an item");
    states.id = file->texts("/id");
    check_ids(path.string() + ":/id", states.id);
    if (file->contains("/subset")) states.subset = file->texts("/subset");
    if (!states.subset.empty() && states.subset.size() != states.id.size())
        fail(path.string() + ":/subset: must have a name for each item of /id");
    if (file->contains("/chosen") != file->contains("/rejected"))
        fail(path.string() + ": has one of /chosen and /rejected; scores need both");
    if (file->contains("/chosen")) {
        states.chosen = scores_of(*file, "/chosen", states.id.size());
        states.rejected = scores_of(*file, "/rejected", states.id.size());
    }
    for (const std::string& name : file->members("/"))
        if (const int layer = layer_number(name); layer >= 0) states.layers.push_back(layer);
    if (states.layers.empty()) fail(path.string() + ": has no group layer_NN, so it holds no states");
    std::int64_t features = 0;
    const std::size_t items = states.id.size();
    for (const int layer : states.layers) {
        for (const char* side : kSides) {
            const std::string dataset = "/" + layer_name(layer) + "/" + side;
            if (!file->contains(dataset)) fail(path.string() + ":" + dataset + ": is missing; states need both answers");
            rows_of(*file, dataset, items, &features);
        }
    }
    states.features = features;
    states.read = [file, items, features](int layer, const std::string& side) {
        std::int64_t expected = features;
        return rows_of(*file, "/" + layer_name(layer) + "/" + side, items, &expected);
    };
    return states;
}

ForeignStates from_npy(const fs::path& path) {
    const std::string name = path.string();
    const std::string end = ".chosen.npy";
    if (!name.ends_with(end))
        fail(name + ": name it X.chosen.npy, beside X.rejected.npy and X.ids, so that each array's answers and items are known");
    const std::string stem = name.substr(0, name.size() - end.size());
    ForeignStates states;
    for_each_line(stem + ".ids", [&](std::int64_t, std::string_view line) { states.id.emplace_back(line); });
    check_ids(stem + ".ids", states.id);
    const auto items = static_cast<std::int64_t>(states.id.size());
    const auto files = std::make_shared<std::vector<NpyFile>>();
    for (const char* side : kSides) {
        const NpyFile file = open_npy(stem + "." + side + ".npy");
        if (file.shape.size() != 3 || file.shape[1] != items)
            fail(file.path.string() + ": field shape: must be (layer, item, feature) with the " + std::to_string(items) +
                 " items of " + stem + ".ids");
        if (!files->empty() && files->front().shape != file.shape)
            fail(file.path.string() + ": field shape: is another than that of " + files->front().path.string());
        files->push_back(file);
    }
    for (int layer = 0; layer < files->front().shape[0]; ++layer) states.layers.push_back(layer);
    if (states.layers.empty()) fail(name + ": field shape: no layer");
    states.features = files->front().shape[2];
    states.read = [files, items, features = states.features](int layer, const std::string& side) {
        const NpyFile& file = (*files)[side == kSides[0] ? 0 : 1];
        std::vector<float> values = file.read(layer * items * features, items * features);
        check_finite(file.path.string() + ", layer " + std::to_string(layer), values);
        return values;
    };
    return states;
}

}  // namespace

bool holds_states(const fs::path& path) {
    const std::string end = path.extension().string();
    return end == ".h5" || end == ".hdf5" || end == ".npy";
}

ForeignStates read_foreign_states(const fs::path& path) { return path.extension() == ".npy" ? from_npy(path) : from_h5(path); }

}  // namespace xlrm
