// Damaged model folders: every one is either read or refused by an Error that names the file. Mutations follow a seed, so that a
// failure comes back; what they found stands in config_test.cpp, folder_head_test.cpp and safetensors_test.cpp.
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <sstream>

#include "model/altered_folder.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/infer/inspect.hpp"

namespace {

using namespace xlrm_test;
using xlrm::HeadKind;
using xlrm::Json;
using xlrm::Random;
namespace fs = std::filesystem;

// Values as texts, so that some can be beyond what a JSON value holds.
// clang-format off
const std::vector<std::string> kOdd = {
    "null", "true", "false", "0", "-0", "-1", "1", "2", "3", "7", "48", "1.5", "-1e9", "1e308", "1e400", "2147483647",
    "2147483648", "4294967296", "1000000000000000000", "9223372036854775807", "9223372036854775808",
    "18446744073709551615", "18446744073709551616", "-9223372036854775808", "\"\"", "\"16\"", "\"llama\"", "\"a\\u0000b\"",
    "\"\xc3\xa9\"", "\"\xff\"", "[]", "{}", "[null]", "[1, \"x\"]", "{\"a\": {\"b\": 1}}", "[[[[[[1]]]]]]", "NaN",
    "Infinity", "", std::string(300, '[') + std::string(300, ']'), std::string(200000, '[') + std::string(200000, ']')};
// clang-format on

class FolderFuzz : public AlteredFolder {
protected:
    template <class T>
    const T& pick(const std::vector<T>& from) {
        return from[random_.below(from.size())];
    }

    // The text of an object with one or two values replaced, removed, doubled or added.
    std::string mutated(const Json& json) {
        std::vector<std::pair<std::string, std::string>> fields;
        for (const auto& [key, value] : json.items())
            fields.emplace_back(key, value.is_object() && random_.below(2) == 0 ? mutated(value) : value.dump());
        for (std::uint64_t i = 0; i <= random_.below(2); ++i) {
            const std::uint64_t what = random_.below(8);
            if (fields.empty() || what == 0)
                fields.emplace_back(pick(keys_), pick(kOdd));
            else if (what == 1)
                fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(random_.below(fields.size())));
            else if (what == 2)
                fields.push_back(pick(fields));
            else
                fields[random_.below(fields.size())].second = pick(kOdd);
        }
        std::string out = "{";
        for (const auto& [key, value] : fields) out += (out.size() > 1 ? ", " : "") + Json(key).dump() + ": " + value;
        return out + "}";
    }

    // Bytes flipped, cut or put in.
    std::string damaged(std::string text) {
        for (std::uint64_t i = 0; i <= random_.below(3); ++i) {
            const auto at = static_cast<std::size_t>(random_.below(text.size() + 1));
            const std::uint64_t what = random_.below(4);
            if (what == 0)
                text.resize(at);
            else if (what == 1)
                text.insert(at, 1, static_cast<char>(random_.below(256)));
            else if (what == 2 && at < text.size())
                text.erase(at, 1 + random_.below(8));
            else if (at < text.size())
                text[at] = static_cast<char>(text[at] ^ (1 << random_.below(8)));
        }
        return text;
    }

    // Everything that reads a folder; an Error must name a file of it.
    void expect_read_or_named(const fs::path& folder, const std::string& file, const std::string& text) {
        const std::function<void()> readers[] = {
            [&] { xlrm::check_model(folder, xlrm::stored_head(folder), false, xlrm::kAllLabels); },
            [&] { xlrm::check_model(folder, HeadKind::none); },
            [&] {
                if (random_.below(20) == 0) xlrm::load_model(folder, HeadKind::reward, at::kFloat, true);
            }};
        for (const auto& reader : readers) {
            try {
                reader();
                ++read_;
            } catch (const xlrm::Error& error) {
                ++refused_;
                EXPECT_NE(std::string(error.what()).find(folder.string()), std::string::npos) << error.what();
                EXPECT_LT(std::string(error.what()).size(), 2000U) << file;
            } catch (const std::exception& error) {
                ADD_FAILURE() << file << ": " << error.what() << "\n" << text.substr(0, 3000);
            }
        }
    }

    void fuzz(const fs::path& folder, const std::string& file, int times, const std::function<std::string()>& make) {
        const std::string whole = xlrm::read_file(folder / file);
        for (int i = 0; i < times && !HasFailure(); ++i) {
            const std::string text = make();
            std::ofstream(folder / file, std::ios::binary | std::ios::trunc) << text;
            expect_read_or_named(folder, file, text);
        }
        std::ofstream(folder / file, std::ios::binary | std::ios::trunc) << whole;
        EXPECT_GT(read_, times / 50);
        EXPECT_GT(refused_, times / 50);
    }

    // clang-format off
    const std::vector<std::string> keys_ = {
        "architectures", "num_labels", "id2label", "rope_scaling", "rope_parameters", "rope_theta", "partial_rotary_factor",
        "layer_types", "sliding_window", "use_sliding_window", "max_window_layers", "head_dim", "query_pre_attn_scalar",
        "attn_logit_softcapping", "final_logit_softcapping", "hidden_activation", "quantization_config", "tie_word_embeddings",
        "attention_bias", "mlp_bias", "type", "rope_type", "full_attention", "factor"};
    // clang-format on
    Random random_{20260101, 0};
    int read_ = 0, refused_ = 0;
};

TEST_F(FolderFuzz, Configurations) {
    for (const char* family : {"llama", "gemma2", "qwen3"}) {
        const fs::path folder = altered({}, family);
        const Json json = xlrm::read_json(folder / "config.json");
        fuzz(folder, "config.json", 500, [&] { return mutated(json); });
    }
    const fs::path folder = altered();
    const std::string text = xlrm::read_file(folder / "config.json");
    fuzz(folder, "config.json", 500, [&] { return damaged(text); });
}

TEST_F(FolderFuzz, WeightHeaders) {
    const fs::path folder = altered();
    const std::string whole = xlrm::read_file(folder / "model.safetensors");
    std::uint64_t length = 0;
    std::memcpy(&length, whole.data(), 8);
    const Json header = Json::parse(whole.substr(8, length));
    const auto with_header = [&](const std::string& text) {
        const std::uint64_t size = text.size();
        return std::string(reinterpret_cast<const char*>(&size), 8) + text + whole.substr(8 + length);
    };
    fuzz(folder, "model.safetensors", 500, [&] { return with_header(mutated(header)); });
    fuzz(folder, "model.safetensors", 500, [&] { return with_header(damaged(whole.substr(8, length))); });
    fuzz(folder, "model.safetensors", 200, [&] { return damaged(whole.substr(0, 8)) + whole.substr(8); });
}

TEST_F(FolderFuzz, IndexAndNotes) {
    const fs::path folder = altered();
    xlrm::write_file_atomic(folder / "xlrm.json",
                            R"({"pooling": "last", "template": "none", "source": "en", "seed": 3, "options": {"lr": 0.1}})");
    const Json notes = xlrm::read_json(folder / "xlrm.json");
    fuzz(folder, "xlrm.json", 300, [&] { return mutated(notes); });
    Json map = Json::object();
    for (const std::string& name : xlrm::SafetensorsFile(folder / "model.safetensors").names()) map[name] = "part.safetensors";
    fs::rename(folder / "model.safetensors", folder / "part.safetensors");
    const Json index = {{"metadata", {{"total_size", 1}}}, {"weight_map", map}};
    xlrm::write_file_atomic(folder / "model.safetensors.index.json", index.dump());
    fuzz(folder, "model.safetensors.index.json", 300, [&] { return mutated(index); });
}

}  // namespace
