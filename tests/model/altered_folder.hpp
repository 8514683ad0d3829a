#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "model/golden.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/model/model_folder.hpp"

namespace xlrm_test {

//! A temporary folder with copies of the small models, to be altered.
class AlteredFolder : public testing::Test {
protected:
    void SetUp() override {
        root_ = std::filesystem::temp_directory_path() / ("xlrm-model-" + std::to_string(getpid()));
        std::filesystem::remove_all(root_);
        std::filesystem::create_directories(root_);
    }
    void TearDown() override { std::filesystem::remove_all(root_); }

    using Tensors = std::vector<xlrm::TensorOut>;
    using Change = std::function<void(Tensors&)>;
    //! A copy of a family's model whose tensors `change` may alter.
    std::filesystem::path altered(const Change& change = {}, const std::string& family = "llama") {
        const std::filesystem::path folder = root_ / "altered";
        std::filesystem::create_directories(folder);
        std::filesystem::copy_file(fixture(family) / "config.json", folder / "config.json",
                                   std::filesystem::copy_options::overwrite_existing);
        const xlrm::SafetensorsFile file(fixture(family) / "model.safetensors");
        Tensors tensors;
        for (const std::string& name : file.names()) {
            const xlrm::TensorView view = file.tensor(name);
            tensors.push_back({name, view.dtype, view.shape, view.bytes});
        }
        if (change) change(tensors);
        xlrm::write_safetensors(folder / "model.safetensors", tensors);
        return folder;
    }
    static xlrm::TensorOut& find(Tensors& tensors, const std::string& name) {
        return *std::ranges::find(tensors, name, &xlrm::TensorOut::name);
    }
    static void drop(Tensors& tensors, const std::string& name) {
        std::erase_if(tensors, [&](const xlrm::TensorOut& tensor) { return tensor.name == name; });
    }
    //! Sets keys of config.json; null removes one.
    static void configure(const std::filesystem::path& folder, const xlrm::Json& changes) {
        xlrm::Json json = xlrm::read_json(folder / "config.json");
        for (const auto& [key, value] : changes.items()) {
            if (value.is_null())
                json.erase(key);
            else
                json[key] = value;
        }
        xlrm::write_file_atomic(folder / "config.json", json.dump());
    }
    static std::string load_error(const std::filesystem::path& folder, xlrm::HeadKind want,
                                  std::int64_t label = xlrm::kOnlyLabel) {
        try {
            xlrm::load_model(folder, want, at::kFloat, false, label);
        } catch (const xlrm::Error& error) {
            return error.what();
        }
        return "";
    }
    static void expect_names(const std::string& message, std::initializer_list<const char*> parts) {
        for (const char* part : parts) EXPECT_NE(message.find(part), std::string::npos) << part << " in: " << message;
    }
    std::filesystem::path root_;
};

}  // namespace xlrm_test
