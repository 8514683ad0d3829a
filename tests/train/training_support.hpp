#pragma once

#include <cmath>
#include <cstring>
#include <filesystem>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "support/temporary_folder.hpp"
#include "xlrm/comm/communicator.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/store/safetensors.hpp"
#include "xlrm/train/trainer.hpp"

namespace xlrm {

inline const std::filesystem::path kTrlRun = XLRM_SOURCE_DIR "/tests/fixtures/train/trl_run";

//! One folder for all ranks, removed by rank 0 at the end. Collective.
class SharedFolder {
public:
    explicit SharedFolder(const Communicator& group) : group_(group), path_(group.broadcast(own_.path().string())) {}
    ~SharedFolder() { group_.barrier(); }
    SharedFolder(const SharedFolder&) = delete;
    SharedFolder& operator=(const SharedFolder&) = delete;
    std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }

private:
    const TemporaryFolder own_;
    const Communicator& group_;
    std::filesystem::path path_;
};

//! The settings of the recorded TRL run (tests/fixtures/train/make_trl_run.py).
inline TrainOptions trl_options(const std::filesystem::path& output) {
    TrainOptions options;
    options.model = (kTrlRun / "model").string();
    options.data = {(kTrlRun / "pairs.jsonl").string()};
    options.output = output.string();
    options.lr = 1e-4;
    options.schedule = "linear";
    options.warmup_ratio = 0.1;
    options.epochs = 3.0;
    options.batch_pairs = 8;
    options.weight_decay = 0.01;
    options.center_rewards_coefficient = 0.01;
    options.max_length = 128;
    return options;
}

//! The lines of metrics.jsonl.
inline std::vector<Json> read_metrics(const std::filesystem::path& path) {
    std::vector<Json> lines;
    for_each_line(path, [&](std::int64_t, std::string_view line) { lines.push_back(parse_json(line, path.string())); });
    return lines;
}

//! The values of one key in all lines that have it.
inline std::vector<double> series(const std::vector<Json>& lines, const std::string& key) {
    std::vector<double> values;
    for (const Json& line : lines) {
        if (line.contains(key)) values.push_back(line[key]);
    }
    return values;
}

//! A copy: the file's bytes may lie at any address.
inline std::vector<float> weights_of(const SafetensorsFile& file, const std::string& name) {
    const TensorView view = file.tensor(name);
    std::vector<float> values(view.bytes.size() / sizeof(float));
    std::memcpy(values.data(), view.bytes.data(), view.bytes.size());
    return values;
}

//! ‖a - b‖ / ‖b - c‖
inline double relative_distance(std::span<const float> a, std::span<const float> b, std::span<const float> c) {
    double difference = 0.0, moved = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        difference += std::pow(double(a[i]) - b[i], 2);
        moved += std::pow(double(b[i]) - c[i], 2);
    }
    return std::sqrt(difference / moved);
}

}  // namespace xlrm
