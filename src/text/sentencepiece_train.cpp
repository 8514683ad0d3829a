#include <sentencepiece_trainer.h>

#include <algorithm>
#include <unordered_map>

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {
namespace {

// Lines that are not empty, in order; a seeded sample of them where they exceed `max_bytes`.
std::vector<std::string> lines_of(const std::vector<std::string>& texts, std::uint64_t seed, std::int64_t max_bytes) {
    std::vector<std::string> lines;
    std::int64_t bytes = 0;
    for (const std::string& text : texts) {
        for (std::size_t begin = 0; begin < text.size();) {
            const std::size_t end = std::min(text.find('\n', begin), text.size());
            if (end > begin) lines.push_back(text.substr(begin, end - begin));
            bytes += static_cast<std::int64_t>(end - begin);
            begin = end + 1;
        }
    }
    if (bytes <= max_bytes) return lines;
    const double share = static_cast<double>(max_bytes) / static_cast<double>(bytes);
    Random random(seed);
    std::erase_if(lines, [&](const std::string&) { return random.uniform() >= share; });
    return lines;
}

void write_config(const std::filesystem::path& folder) {
    const Json config = {{"tokenizer_class", "LlamaTokenizer"}, {"bos_token", "<s>"}, {"eos_token", "</s>"}, {"unk_token", "<unk>"},
                         {"pad_token", "<pad>"}, {"add_bos_token", true}, {"add_eos_token", false}, {"add_prefix_space", false},
                         {"legacy", false}, {"clean_up_tokenization_spaces", false}};
    write_file_atomic(folder / "tokenizer_config.json", config.dump(2) + "\n");
}

}  // namespace

void train_sentencepiece(const std::vector<std::string>& texts, std::int64_t vocab_size, const std::filesystem::path& folder,
                         std::uint64_t seed, double character_coverage, std::int64_t max_bytes) {
    const std::vector<std::string> lines = lines_of(texts, seed, max_bytes);
    require(!lines.empty(), "no text to train a sentencepiece model from");
    const std::unordered_map<std::string, std::string> options = {
        {"model_type", "unigram"},
        {"vocab_size", std::to_string(vocab_size)},
        {"character_coverage", std::to_string(character_coverage)},
        {"byte_fallback", "true"},
        {"split_digits", "true"},
        {"normalization_rule_name", "identity"},
        {"add_dummy_prefix", "false"},
        {"remove_extra_whitespaces", "false"},
        {"unk_id", "0"}, {"bos_id", "1"}, {"eos_id", "2"}, {"pad_id", "3"},
        {"max_sentence_length", "1000000"},
        {"input_sentence_size", "0"},
        {"shuffle_input_sentence", "false"},
        // Sums over threads: a fixed number keeps them, and so the model, the same on every machine.
        {"num_threads", "2"},
        {"minloglevel", "2"},
    };
    std::string model;
    const auto status = sentencepiece::SentencePieceTrainer::Train(options, lines, &model);
    if (!status.ok()) {
        fail("a sentencepiece model of " + std::to_string(vocab_size) + " pieces cannot be trained from these " +
             std::to_string(lines.size()) + " lines (" + status.ToString() + "); choose another --vocab-size or more text");
    }
    write_file_atomic(folder / "tokenizer.model", model);
    write_config(folder);
}

}  // namespace xlrm
