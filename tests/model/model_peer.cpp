// The xlrm side of peer_test.py.
//     model_peer save FIXTURES OUT      each fixture as a reward model and as a language model: OUT/<family>_{rm,lm}
//     model_peer score MODEL TEXTS      scores of TEXTS ([[ids], …]) as JSON on standard output
#include <cstdio>
#include <filesystem>
#include <numeric>

#include "xlrm/core/error.hpp"
#include "xlrm/model/model_folder.hpp"
#include "xlrm/model/scorer.hpp"

namespace {

namespace fs = std::filesystem;

void save(const fs::path& fixtures, const fs::path& out) {
    for (const std::string family : {"llama", "qwen2"}) {
        for (const xlrm::HeadKind head : {xlrm::HeadKind::reward, xlrm::HeadKind::lm}) {
            const auto model = xlrm::load_model(fixtures / family, head, at::kFloat);
            xlrm::save_model(out / (family + (head == xlrm::HeadKind::reward ? "_rm" : "_lm")), model.config,
                             model.parameters.layout, model.parameters.flat, head, {}, xlrm::Json{{"pooling", "last"}},
                             at::kFloat);
        }
    }
}

void score(const fs::path& folder, const fs::path& texts) {
    const auto model = xlrm::load_model(folder, xlrm::HeadKind::reward, at::kFloat);
    xlrm::ItemSet set;
    for (const xlrm::Json& text : xlrm::read_json(texts)) {
        const auto ids = text.get<std::vector<std::int32_t>>();
        const auto length = static_cast<std::int32_t>(ids.size());
        set.answers.push_back({static_cast<std::int64_t>(set.tokens.size()), length, length / 2});
        set.tokens.insert(set.tokens.end(), ids.begin(), ids.end());
    }
    std::vector<std::int64_t> order(set.answers.size());
    std::iota(order.begin(), order.end(), 0);
    const xlrm::Decoder decoder(model.config, model.parameters);
    std::printf("%s\n", xlrm::Json(xlrm::score_texts(decoder, set, order, {}).scores).dump().c_str());
}

}  // namespace

int main(int argc, char** argv) {
    const std::string command = argc == 4 ? argv[1] : "";
    try {
        if (command == "save") return save(argv[2], argv[3]), 0;
        if (command == "score") return score(argv[2], argv[3]), 0;
    } catch (const xlrm::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    std::fprintf(stderr, "usage: model_peer save FIXTURES OUT | score MODEL TEXTS\n");
    return 2;
}
