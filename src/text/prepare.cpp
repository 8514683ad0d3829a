#include "xlrm/text/prepare.hpp"

#include <algorithm>
#include <limits>

#include "assemble.hpp"
#include "encoded_item.hpp"
#include "row_source.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/profile.hpp"
#include "xlrm/core/sha256.hpp"
#include "xlrm/store/items_file.hpp"

namespace xlrm {
namespace {

constexpr std::int64_t kNoLine = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kMessageBytes = std::size_t{1} << 29U;  // of all ranks together in one exchange

// The first error in input order, thrown on every rank. Collective.
void agree_on_first(const Communicator& comm, std::int64_t line, const std::string& message, ExitCode code) {
    const std::vector<std::int64_t> lines = comm.gather(std::span<const std::int64_t>(&line, 1));
    const auto first = std::min_element(lines.begin(), lines.end());
    if (*first == kNoLine) return;
    const int owner = static_cast<int>(first - lines.begin());
    const std::string text = comm.broadcast(std::to_string(static_cast<int>(code)) + " " + message, owner);
    const std::size_t space = text.find(' ');
    fail(text.substr(space + 1), static_cast<ExitCode>(std::stoi(text.substr(0, space))));
}

// Every rank's bytes on every rank, in pieces that MPI's counts can hold. Collective.
std::vector<std::string> gather_all(const Communicator& comm, const std::string& mine) {
    const std::size_t piece = kMessageBytes / static_cast<std::size_t>(comm.size());
    const std::int64_t rounds = comm.max(static_cast<std::int64_t>((mine.size() + piece - 1) / piece));
    std::vector<std::string> all(static_cast<std::size_t>(comm.size()));
    for (std::size_t round = 0; round < static_cast<std::size_t>(rounds); ++round) {
        const std::size_t begin = std::min(round * piece, mine.size());
        const auto parts = comm.gather_text(mine.substr(begin, piece));
        for (std::size_t rank = 0; rank < all.size(); ++rank) all[rank] += parts[rank];
    }
    return all;
}

void check_prepared(const ItemSet& set, const std::filesystem::path& path, const Tokenizer& tokenizer, const ChatTemplate& chat_template) {
    const auto differs = [&](const char* name, const std::string& expected) {
        return !set.attributes.contains(name) || set.attributes.at(name) != expected;
    };
    if (differs("tokenizer_sha256", tokenizer.sha256)) fail(path.string() + ": it was prepared with another tokenizer; prepare the data again for this model");
    if (differs("template", chat_template.name) || differs("template_sha256", chat_template.sha256) || differs("template_date", chat_template.date)) {
        fail(path.string() + ": it was prepared with another chat template; prepare the data again, or give the same --template");
    }
}

using TakeItem = std::function<void(EncodedItem&& item)>;

// Items of the .h5 inputs; rank 0 alone reads them.
void read_prepared(const PrepareOptions& options, RowSource& source, const Tokenizer& tokenizer, const ChatTemplate& chat_template, const TakeItem& take_item) {
    std::int64_t line = std::numeric_limits<std::int64_t>::min();  // before all lines, in their own order
    for (const auto& path : options.inputs) {
        if (!is_prepared(path)) continue;
        const ItemSet set = read_items(path);
        check_prepared(set, path, tokenizer, chat_template);
        for (const Item& item : set.items) {
            source.saw(item.lang);
            if (!source.chosen(item.id, item.lang)) continue;
            EncodedItem encoded{line++, path.string(), item.id, item.lang, item.subset, item.margin, item.num_correct, {}, false, false, item.labels};
            for (std::int32_t k = 0; k < item.answers; ++k) {
                const Answer& answer = set.answers[static_cast<std::size_t>(item.first_answer + k)];
                const auto tokens = set.answer_tokens(answer);
                encoded.texts.push_back({{tokens.begin(), tokens.end()}, answer.prompt, 0});
            }
            encoded.tied = encoded.labels.empty() && encoded.texts.size() == 2 && encoded.texts[0].tokens == encoded.texts[1].tokens;
            take_item(std::move(encoded));
        }
    }
}

// Rows of one line come from one rank, in order; of a lone rank all do.
void sort_by_line(std::vector<EncodedItem>& items) {
    const auto earlier = [](const EncodedItem& a, const EncodedItem& b) { return a.line < b.line; };
    if (!std::ranges::is_sorted(items, earlier)) std::stable_sort(items.begin(), items.end(), earlier);
}

std::vector<EncodedItem> unpack_all(std::vector<std::string>&& packed) {
    std::vector<EncodedItem> items;
    for (std::string& bytes : packed) {
        for (std::size_t at = 0; at < bytes.size();) items.push_back(unpack(bytes, at));
        std::string().swap(bytes);  // ranks of one node hold all of this side by side
    }
    return items;
}

// Collective.
void require_languages(const Communicator& comm, const PrepareOptions& options, const RowSource& source) {
    std::string mine;
    for (const std::string& lang : source.languages()) mine += lang + "\n";
    std::set<std::string> all;
    for (const std::string& text : comm.gather_text(mine)) {
        for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) all.insert(text.substr(at, text.find('\n', at) - at));
    }
    std::string list;
    for (const std::string& lang : all) list += (list.empty() ? "" : ", ") + lang;
    for (const std::string& lang : options.langs) {
        if (!all.contains(lang)) fail("no row is in language '" + lang + "' (the data have: " + list + "); correct --langs or add the data");
    }
    require(!all.empty(), "the input has no rows");
}

// Collective: rank 0 reads the inputs once more for their hashes.
Json input_hashes(const Communicator& comm, const PrepareOptions& options) {
    std::string text;
    on_root(comm, [&] {
        Json hashes = Json::object();
        for (const auto& path : options.inputs) {
            std::string name = path.filename().string();
            while (hashes.contains(name)) name += "'";
            hashes[name] = sha256_file(path);
        }
        text = hashes.dump();
    });
    return parse_json(comm.broadcast(text), "hashes of the input");
}

void describe(const PrepareOptions& options, const Tokenizer& tokenizer, const ChatTemplate& chat_template, Prepared& prepared) {
    Json& about = prepared.set.attributes;
    about["kind"] = name_of(options.kind);
    about["tokenizer_sha256"] = tokenizer.sha256;
    about["vocab_size"] = tokenizer.vocab_size();
    about["template"] = chat_template.name;
    about["template_sha256"] = chat_template.sha256;
    about["template_date"] = chat_template.date;
    about["max_length"] = options.max_length;
    about["over_length"] = name_of(options.over_length);
    about["langs"] = options.langs;
    about["default_lang"] = options.default_lang;
    about["split"] = options.split;
    about["part"] = options.part;
    about["ties"] = options.keep_tied ? "keep" : "drop";
    about["concatenate"] = options.concatenate;
    if (options.concatenate) about["seed"] = options.seed;
    Json& report = about["report"] = Json::object();
    for (const auto& [lang, counts] : prepared.report) {
        std::int64_t tokens = 0;
        for (const std::int32_t length : counts.lengths) tokens += length;
        report[lang] = {{"read", counts.read}, {"kept", counts.kept}, {"too_long", counts.too_long}, {"tied", counts.tied}, {"empty", counts.empty},
                        {"tokens", tokens}, {"characters", counts.characters}};
    }
}

Prepared prepare_alike(const Communicator& comm, const PrepareOptions& options, const Tokenizer& tokenizer, const ChatTemplate& chat_template) {
    require(options.max_length > 0, "--max-length must be above 0", ExitCode::usage);
    RowSource source(options, comm.rank(), comm.size());
    std::string bytes;  // what others are to get
    std::vector<EncodedItem> items;
    const TakeItem take_item = [&](EncodedItem&& item) {
        if (comm.size() > 1) pack(item, bytes);
        else items.push_back(std::move(item));
    };
    std::int64_t bad_line = kNoLine;
    std::string message;
    ExitCode code = ExitCode::failure;
    try {
        if (comm.root()) read_prepared(options, source, tokenizer, chat_template, take_item);
        source.for_each([&](std::int64_t line, const std::string& where, PreferenceRow&& row) {
            take_item(encode_item(row, line, where, tokenizer, chat_template));
        });
    } catch (const Error& error) {
        bad_line = source.line();
        message = error.what();
        code = error.code();
    }
    agree_on_first(comm, bad_line, message, code);
    require_languages(comm, options, source);
    if (comm.size() > 1) items = unpack_all(gather_all(comm, bytes));
    sort_by_line(items);
    Prepared prepared = assemble(std::move(items), options);
    describe(options, tokenizer, chat_template, prepared);
    prepared.set.attributes["input_sha256"] = input_hashes(comm, options);
    return prepared;
}

}  // namespace

Prepared prepare(const Communicator& comm, const PrepareOptions& options, const Tokenizer& tokenizer, const ChatTemplate& chat_template) {
    const StageScope scope("read");
    try {
        return prepare_alike(comm, options, tokenizer, chat_template);
    } catch (Error& error) {
        error.mark_agreed();  // what is found on one rank has been told to all
        throw;
    }
}

void read_rows(const PrepareOptions& options, const std::function<void(std::int64_t line, PreferenceRow&& row)>& row) {
    RowSource source(options, 0, 1);
    source.for_each([&](std::int64_t line, const std::string&, PreferenceRow&& parsed) { row(line, std::move(parsed)); });
}

std::vector<std::string> collect_texts(const PrepareOptions& options) {
    std::vector<std::string> texts;
    RowSource source(options, 0, 1);
    source.for_each([&](std::int64_t, const std::string&, PreferenceRow&& row) {
        for (ChatMessage& message : row.prompt) texts.push_back(std::move(message.content));
        for (std::string& answer : row.answers) texts.push_back(std::move(answer));
    });
    for (const std::string& lang : options.langs) {
        if (!source.languages().contains(lang)) fail("no row is in language '" + lang + "'; correct --langs or add the data");
    }
    return texts;
}

}  // namespace xlrm
