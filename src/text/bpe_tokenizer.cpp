#include <mutex>
#include <nlohmann/json.hpp>

#include "added_tokens.hpp"
#include "bpe_model.hpp"
#include "byte_level.hpp"
#include "pre_tokenizer.hpp"
#include "utf8.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/sha256.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {
namespace {

using nlohmann::json;  // not xlrm::Json: its ordered objects take quadratic time for a vocabulary

// The order of the stages is that of Hugging Face's tokenizers: added tokens that are not `normalized`, normaliser, added
// tokens that are, pre-tokeniser, model, post-processor.
class BpeTokenizer final : public Tokenizer {
public:
    BpeTokenizer(const json& file, const std::string& where)
        : model_(file.at("model"), where + ": model"), pre_tokenizer_(file.at("pre_tokenizer"), where + ": pre_tokenizer") {
        read_normalizer(member(file, "normalizer"), where + ": normalizer");
        read_decoder(member(file, "decoder"), where + ": decoder");
        bytes_.resize(static_cast<std::size_t>(model_.size()));
        present_.resize(bytes_.size());
        for (const auto& [token, id] : model_.vocab()) set_token(id, token);
        for (const json& token : member(file, "added_tokens")) read_added(token, where + ": added_tokens");
        read_post_processor(member(file, "post_processor"), where + ": post_processor");
    }

    std::vector<std::int32_t> encode(std::string_view text, bool add_special) const override {
        std::vector<std::int32_t> ids;
        if (add_special) ids = prefix;
        std::string clean;
        if (!is_valid_utf8(text)) text = clean = replace_invalid_utf8(text);
        Loan scratch(*this);
        std::vector<AddedTokenFinder::Piece> pieces;
        if (raw_finder_.empty()) pieces.push_back({-1, text});
        else raw_finder_.split(text, pieces);
        for (const auto& piece : pieces) {
            if (piece.id >= 0) ids.push_back(piece.id);
            else if (nfc_) encode_normal(to_nfc(piece.text), *scratch, ids);
            else encode_normal(piece.text, *scratch, ids);
        }
        if (add_special) ids.insert(ids.end(), suffix.begin(), suffix.end());
        return ids;
    }

    std::string decode(const std::vector<std::int32_t>& ids) const override {
        std::string text;
        for (const std::int32_t id : ids) {
            if (id < 0 || static_cast<std::size_t>(id) >= bytes_.size() || !present_[static_cast<std::size_t>(id)]) {
                fail("token id " + std::to_string(id) + " is not in the vocabulary of " + std::to_string(vocab_size()) + " tokens");
            }
            text += bytes_[static_cast<std::size_t>(id)];
        }
        return is_valid_utf8(text) ? text : replace_invalid_utf8(text);
    }

    std::int64_t vocab_size() const override { return static_cast<std::int64_t>(bytes_.size()); }

    std::optional<std::int32_t> id_of(std::string_view token) const override {
        for (const auto* map : {&added_, &model_.vocab()}) {
            if (const auto found = map->find(std::string(token)); found != map->end()) return found->second;
        }
        return std::nullopt;
    }

private:
    struct Scratch {
        PreTokenizer::Scratch words;
        BpeModel::Scratch model;
        std::vector<AddedTokenFinder::Piece> pieces;
    };

    // A thread's working memory, borrowed for one call; it keeps the cache of words for the next.
    class Loan {
    public:
        explicit Loan(const BpeTokenizer& owner) : owner_(owner) {
            const std::lock_guard lock(owner.mutex_);
            if (!owner.idle_.empty()) {
                scratch_ = std::move(owner.idle_.back());
                owner.idle_.pop_back();
            }
            if (!scratch_) scratch_ = std::make_unique<Scratch>();
        }
        ~Loan() {
            const std::lock_guard lock(owner_.mutex_);
            owner_.idle_.push_back(std::move(scratch_));
        }
        Loan(const Loan&) = delete;
        Loan& operator=(const Loan&) = delete;
        Scratch& operator*() { return *scratch_; }

    private:
        const BpeTokenizer& owner_;
        std::unique_ptr<Scratch> scratch_;
    };

    static const json& member(const json& object, const char* name) {
        static const json null;
        return object.contains(name) ? object.at(name) : null;
    }

    void encode_normal(std::string_view text, Scratch& scratch, std::vector<std::int32_t>& ids) const {
        if (normal_finder_.empty()) return encode_words(text, scratch, ids);
        normal_finder_.split(text, scratch.pieces);
        for (const auto& piece : scratch.pieces) {
            if (piece.id >= 0) ids.push_back(piece.id);
            else encode_words(piece.text, scratch, ids);
        }
    }

    void encode_words(std::string_view text, Scratch& scratch, std::vector<std::int32_t>& ids) const {
        pre_tokenizer_.split(text, scratch.words);
        for (const std::string_view word : scratch.words.words) model_.encode(word, scratch.model, ids);
    }

    void read_normalizer(const json& node, const std::string& where) {
        if (node.is_null()) return;
        const std::string type = node.at("type").get<std::string>();
        if (type == "NFC") nfc_ = true;
        else if (type == "Sequence") for (const json& part : node.at("normalizers")) read_normalizer(part, where);
        else fail(where + ": " + type + " is not supported");
    }

    static void read_decoder(const json& node, const std::string& where) {
        require(!node.is_null(), where + " is missing (byte-level tokenizers have ByteLevel)");
        const std::string type = node.at("type").get<std::string>();
        if (type == "Sequence" && node.at("decoders").size() == 1) return read_decoder(node.at("decoders")[0], where);
        if (type != "ByteLevel") fail(where + ": " + type + " is not supported");
    }

    void read_added(const json& node, const std::string& where) {
        AddedToken token;
        token.id = node.at("id").get<std::int32_t>();
        token.content = node.at("content").get<std::string>();
        token.single_word = node.value("single_word", false);
        token.lstrip = node.value("lstrip", false);
        token.rstrip = node.value("rstrip", false);
        token.special = node.value("special", false);
        token.normalized = node.value("normalized", !token.special);
        const auto known = id_of(token.content);
        if (token.id < 0 || token.id > vocab_size() + (1 << 20)) fail(where + ": id " + std::to_string(token.id) + " of '" + token.content + "' is out of range");
        if (known && *known != token.id) {
            fail(where + ": '" + token.content + "' has id " + std::to_string(token.id) + ", and " + std::to_string(*known) + " in the vocabulary");
        }
        const auto index = static_cast<std::size_t>(token.id);
        if (!known && index < present_.size() && present_[index]) fail(where + ": id " + std::to_string(token.id) + " of '" + token.content + "' is taken");
        set_token(token.id, token.content);
        added_.emplace(token.content, token.id);
        if (token.normalized) normal_finder_.add(token, nfc_ ? to_nfc(token.content) : token.content);
        else raw_finder_.add(token, token.content);
    }

    void set_token(std::int32_t id, const std::string& token) {
        const auto index = static_cast<std::size_t>(id);
        if (index >= bytes_.size()) {
            bytes_.resize(index + 1);
            present_.resize(index + 1);
        }
        bytes_[index] = bytes_of_token(token).value_or(token);
        present_[index] = true;
    }

    void read_post_processor(const json& node, const std::string& where) {
        if (node.is_null()) return;
        const std::string type = node.at("type").get<std::string>();
        if (type == "ByteLevel") return;  // moves offsets only
        if (type == "Sequence") {
            for (const json& part : node.at("processors")) read_post_processor(part, where);
            return;
        }
        if (type != "TemplateProcessing") fail(where + ": " + type + " is not supported");
        bool behind = false;
        std::vector<std::int32_t> before;
        std::vector<std::int32_t> after;
        for (const json& part : node.at("single")) {
            if (part.contains("Sequence")) {
                if (behind || part.at("Sequence").at("id") != "A") fail(where + ": a template other than one sequence A is not supported");
                behind = true;
                continue;
            }
            const std::string name = part.at("SpecialToken").at("id").get<std::string>();
            for (const json& id : node.at("special_tokens").at(name).at("ids")) (behind ? after : before).push_back(id.get<std::int32_t>());
        }
        require(behind, where + ": the template lacks the sequence A");
        prefix.insert(prefix.begin(), before.begin(), before.end());
        suffix.insert(suffix.end(), after.begin(), after.end());
    }

    BpeModel model_;
    PreTokenizer pre_tokenizer_;
    bool nfc_ = false;
    AddedTokenFinder raw_finder_, normal_finder_;
    std::unordered_map<std::string, std::int32_t> added_;
    std::vector<std::string> bytes_;  // by id: what decode writes
    std::vector<bool> present_;
    mutable std::mutex mutex_;
    mutable std::vector<std::unique_ptr<Scratch>> idle_;
};

}  // namespace

std::unique_ptr<Tokenizer> load_bpe(const std::filesystem::path& tokenizer_json) {
    const std::string text = read_file(tokenizer_json);
    try {
        // `truncation` and `padding` of the file are what its last user had set; transformers ignores them too.
        const json file = json::parse(text);
        if (!file.is_object() || !file.contains("model")) fail(tokenizer_json.string() + ": no tokenizer (the field model is missing)");
        if (!file.contains("pre_tokenizer") || file.at("pre_tokenizer").is_null()) {
            fail(tokenizer_json.string() + ": pre_tokenizer is missing (only byte-level BPE is supported)");
        }
        auto tokenizer = std::make_unique<BpeTokenizer>(file, tokenizer_json.string());
        tokenizer->sha256 = sha256(text);
        tokenizer->files.push_back(tokenizer_json);
        return tokenizer;
    } catch (const json::exception& error) {
        fail(tokenizer_json.string() + ": damaged tokenizer file (" + error.what() + ")");
    }
}

}  // namespace xlrm
