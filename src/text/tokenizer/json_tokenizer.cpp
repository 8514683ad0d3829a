#include "json_tokenizer.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "bpe_model.hpp"
#include "byte_level.hpp"
#include "decoder.hpp"
#include "loan.hpp"
#include "normalizer.hpp"
#include "post_processor.hpp"
#include "pre_tokenizer.hpp"
#include "unigram_model.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/sha256.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm {
namespace {

using nlohmann::json;  // not xlrm::Json: its ordered objects take quadratic time for a vocabulary

const json& member(const json& object, const char* name) {
    static const json null;
    return object.contains(name) ? object.at(name) : null;
}

// Words of a byte-level BPE stay raw bytes where that gives the same ids.
struct WordStages {
    std::unique_ptr<SubwordModel> model;
    PreTokenizer pre_tokenizer;
};

WordStages read_word_stages(const json& file, const std::string& where) {
    const json& model = file.at("model");
    require(model.is_object(), where + ": model: an object is expected");
    const std::string type = model.value("type", "BPE");
    const json& pre_tokenizer = member(file, "pre_tokenizer");
    if (type == "Unigram") {
        return {std::make_unique<UnigramModel>(model, where + ": model"),
                PreTokenizer(pre_tokenizer, where + ": pre_tokenizer", false)};
    }
    if (type != "BPE") fail(where + ": model: " + type + " is not supported (BPE and Unigram are)");
    auto bpe = std::make_unique<BpeModel>(model, where + ": model");
    PreTokenizer words(pre_tokenizer, where + ": pre_tokenizer", bpe->takes_bytes());
    if (words.gives_raw_bytes()) bpe->use_bytes();
    return {std::move(bpe), std::move(words)};
}

// The order of the stages is that of Hugging Face's tokenizers: added tokens that are not `normalized`, normaliser, added
// tokens that are, pre-tokeniser, model, post-processor.
class JsonTokenizer final : public Tokenizer {
public:
    JsonTokenizer(const json& file, const std::string& where, const Additions& additions, std::string* changes)
        : stages_(read_word_stages(file, where)),
          normalizer_(member(file, "normalizer"), where + ": normalizer"),
          decoder_(member(file, "decoder"), where + ": decoder") {
        for (const auto& [token, id] : stages_.model->vocab()) set_token(id, token);
        std::map<std::int32_t, AddedToken> tokens;
        for (const json& token : member(file, "added_tokens")) add(added_token_of(token), tokens);
        const std::map<std::int32_t, AddedToken> of_file = tokens;
        for (const AddedToken& token : additions.tokens) add(token, tokens);
        for (auto& [id, token] : tokens) {
            token.is_text = additions.split_special && special_.contains(token.content);
            const std::string normal = token.normalized ? normalizer_.apply(token.content) : token.content;
            (token.normalized ? normal_finder_ : raw_finder_).add(token, normal);
            set_token(id, normal);
        }
        if (changes) *changes = difference(of_file, tokens);
        size_ = tokens_.size();
        while (!tokens.empty() && size_ == static_cast<std::size_t>(tokens.rbegin()->first) + 1 &&
               additions.by_default.contains(tokens.rbegin()->second.content)) {
            if (stages_.model->find(tokens.rbegin()->second.content) >= 0) break;
            tokens.erase(std::prev(tokens.end()));
            --size_;
        }
        const PostProcessor post = read_post_processor(member(file, "post_processor"), where + ": post_processor");
        prefix = post.prefix;
        suffix = post.suffix;
        for (const auto* ids : {&prefix, &suffix}) {
            for (const std::int32_t id : *ids) {
                if (!has(id)) fail(where + ": post_processor: the id " + std::to_string(id) + " is not in the vocabulary");
            }
        }
    }

    std::vector<std::int32_t> encode(std::string_view text, bool add_special) const override {
        std::vector<std::int32_t> ids;
        if (add_special) ids = prefix;
        std::string clean;
        if (!is_valid_utf8(text)) text = clean = replace_invalid_utf8(text);
        const auto scratch = scratches_.borrow();
        if (raw_finder_.empty()) {
            if (!text.empty()) encode_piece(text, true, *scratch, ids);
        } else {
            raw_finder_.split(text, scratch->raw_pieces);
            for (const auto& piece : scratch->raw_pieces) {
                if (piece.id >= 0)
                    ids.push_back(piece.id);
                else
                    encode_piece(piece.text, piece.text.data() == text.data(), *scratch, ids);
            }
        }
        if (add_special) ids.insert(ids.end(), suffix.begin(), suffix.end());
        return ids;
    }

    std::string decode(const std::vector<std::int32_t>& ids) const override {
        std::string bytes;
        std::vector<std::string> tokens;
        for (const std::int32_t id : ids) {
            if (!has(id)) {
                fail("token id " + std::to_string(id) + " is not in the vocabulary of " + std::to_string(vocab_size()) +
                     " tokens");
            }
            if (decoder_.is_byte_level())
                bytes += tokens_[static_cast<std::size_t>(id)];
            else
                tokens.push_back(tokens_[static_cast<std::size_t>(id)]);
        }
        if (!decoder_.is_byte_level()) return decoder_.decode(std::move(tokens));
        return is_valid_utf8(bytes) ? bytes : replace_invalid_utf8(bytes);
    }

    bool has(std::int32_t id) const override {
        return id >= 0 && static_cast<std::size_t>(id) < tokens_.size() && present_[static_cast<std::size_t>(id)];
    }

    std::int64_t vocab_size() const override { return static_cast<std::int64_t>(size_); }

    std::optional<std::int32_t> id_of(std::string_view token) const override {
        for (const auto* map : {&added_, &stages_.model->vocab()}) {
            if (const auto found = map->find(std::string(token)); found != map->end()) return found->second;
        }
        return std::nullopt;
    }

private:
    struct Scratch {
        std::vector<AddedTokenFinder::Piece> raw_pieces, pieces;
        Normalizer::Scratch normalizer;
        PreTokenizer::Scratch words;
        SubwordModel::Scratch model;
    };

    void encode_piece(std::string_view text, bool at_begin, Scratch& scratch, std::vector<std::int32_t>& ids) const {
        const std::string_view normal = normalizer_.apply(text, scratch.normalizer, at_begin);
        if (normal_finder_.empty()) return encode_words(normal, at_begin, scratch, ids);
        normal_finder_.split(normal, scratch.pieces);
        for (const auto& piece : scratch.pieces) {
            if (piece.id >= 0)
                ids.push_back(piece.id);
            else
                encode_words(piece.text, at_begin && piece.text.data() == normal.data(), scratch, ids);
        }
    }

    void encode_words(std::string_view text, bool at_begin, Scratch& scratch, std::vector<std::int32_t>& ids) const {
        stages_.pre_tokenizer.split(text, at_begin, scratch.words);
        for (const std::string_view word : scratch.words.words) stages_.model->encode(word, scratch.model, ids);
    }

    // The token's own id is not read: as in the reference, one of the vocabulary keeps its id and others count on from its size.
    void add(AddedToken token, std::map<std::int32_t, AddedToken>& tokens) {
        if (token.content.empty()) return;
        if (token.special) special_.insert(token.content);
        const auto known = id_of(token.content);
        const auto size = static_cast<std::int32_t>(stages_.model->count());
        token.id = known ? *known : tokens.empty() ? size : std::max(size, tokens.rbegin()->first + 1);
        added_[token.content] = token.id;
        tokens[token.id] = std::move(token);
    }

    // What of `after` was not so before, in the order of ids.
    static std::string difference(const std::map<std::int32_t, AddedToken>& before,
                                  const std::map<std::int32_t, AddedToken>& after) {
        std::string text;
        for (const auto& [id, token] : after) {
            const auto same = before.find(id);
            if (same != before.end() && same->second.finds_as(token)) continue;
            text += std::to_string(id) + " " + token.content + " ";
            for (const bool flag : {token.single_word, token.lstrip, token.rstrip, token.normalized, token.is_text})
                text += flag ? '1' : '0';
            text += '\n';
        }
        return text;
    }

    void set_token(std::int32_t id, const std::string& token) {
        const auto index = static_cast<std::size_t>(id);
        if (index >= tokens_.size()) {
            tokens_.resize(index + 1);
            present_.resize(index + 1);
        }
        tokens_[index] = decoder_.is_byte_level() ? bytes_of_token(token).value_or(token) : token;
        present_[index] = true;
    }

    WordStages stages_;
    Normalizer normalizer_;
    Decoder decoder_;
    AddedTokenFinder raw_finder_, normal_finder_;
    std::unordered_map<std::string, std::int32_t> added_;
    std::set<std::string> special_;
    std::vector<std::string> tokens_;  // by id: what decode writes
    std::size_t size_ = 0;             // of what the file and the folder name
    std::vector<bool> present_;
    Lender<Scratch> scratches_;
};

}  // namespace

// `truncation` and `padding` of the file are what its last user had set; transformers ignores them too.
std::unique_ptr<Tokenizer> make_json_tokenizer(const json& file, const std::string& where, const Additions& additions,
                                               std::string* changes) {
    try {
        return std::make_unique<JsonTokenizer>(file, where, additions, changes);
    } catch (const json::exception& error) {
        fail(where + ": damaged tokenizer file (" + error.what() + ")");
    }
}

std::unique_ptr<Tokenizer> load_bpe(const std::filesystem::path& tokenizer_json) {
    auto tokenizer = make_json_tokenizer(read_tokenizer_json(tokenizer_json), tokenizer_json.string(), {});
    tokenizer->sha256 = sha256(read_file(tokenizer_json));
    tokenizer->files.push_back(tokenizer_json);
    return tokenizer;
}

}  // namespace xlrm
