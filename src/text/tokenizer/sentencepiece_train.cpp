#include <sentencepiece_processor.h>
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

// The same model for programs that read tokenizer.json. Where a text spells out a control or byte piece ("<s>", "<0x41>") they
// take it for that piece, and this library does not.
Json tokenizer_json(const sentencepiece::SentencePieceProcessor& model) {
    Json vocab = Json::array();
    for (int id = 0; id < model.GetPieceSize(); ++id) vocab.push_back({model.IdToPiece(id), model.GetScore(id)});
    Json added = Json::array();
    for (int id = 0; id < 4; ++id) {
        added.push_back({{"id", id},
                         {"content", model.IdToPiece(id)},
                         {"single_word", false},
                         {"lstrip", false},
                         {"rstrip", false},
                         {"normalized", false},
                         {"special", true}});
    }
    const std::string bos = model.IdToPiece(model.bos_id());
    const auto replace = [](const char* from, const char* to) {
        return Json{{"type", "Replace"}, {"pattern", {{"String", from}}}, {"content", to}};
    };
    const Json sequence = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
    const Json first = {{"SpecialToken", {{"id", bos}, {"type_id", 0}}}};
    return {{"version", "1.0"},
            {"truncation", nullptr},
            {"padding", nullptr},
            {"added_tokens", added},
            {"normalizer", replace(" ", "\u2581")},
            {"pre_tokenizer", nullptr},
            {"post_processor",
             {{"type", "TemplateProcessing"},
              {"single", {first, sequence}},
              {"pair", {first, sequence, {{"Sequence", {{"id", "B"}, {"type_id", 1}}}}}},
              {"special_tokens", {{bos, {{"id", bos}, {"ids", {model.bos_id()}}, {"tokens", {bos}}}}}}}},
            {"decoder",
             {{"type", "Sequence"}, {"decoders", {replace("\u2581", " "), {{"type", "ByteFallback"}}, {{"type", "Fuse"}}}}}},
            {"model", {{"type", "Unigram"}, {"unk_id", model.unk_id()}, {"vocab", vocab}, {"byte_fallback", true}}}};
}

void write_companions(const std::string& bytes, const std::filesystem::path& folder) {
    const Json config = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                         {"bos_token", "<s>"},
                         {"eos_token", "</s>"},
                         {"unk_token", "<unk>"},
                         {"pad_token", "<pad>"},
                         {"add_bos_token", true},
                         {"add_eos_token", false},
                         {"clean_up_tokenization_spaces", false}};
    write_file_atomic(folder / "tokenizer_config.json", config.dump(2) + "\n");
    sentencepiece::SentencePieceProcessor model;
    const auto status = model.LoadFromSerializedProto(bytes);
    if (!status.ok()) fail("the trained sentencepiece model cannot be read back (" + status.ToString() + ")");
    write_file_atomic(folder / "tokenizer.json", tokenizer_json(model).dump() + "\n");
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
        {"unk_id", "0"},
        {"bos_id", "1"},
        {"eos_id", "2"},
        {"pad_id", "3"},
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
    write_companions(model, folder);
}

}  // namespace xlrm
