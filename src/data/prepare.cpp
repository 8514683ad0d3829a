#include "xlrm/data/prepare.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <optional>

#include "assemble.hpp"
#include "encoded_item.hpp"
#include "item_kinds.hpp"
#include "prepared_attributes.hpp"
#include "row_source.hpp"
#include "xlrm/comm/run_job.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/log.hpp"
#include "xlrm/core/profile.hpp"
#include "xlrm/core/sha256.hpp"
#include "xlrm/data/prepared_file.hpp"
#include "xlrm/store/items_file.hpp"

namespace xlrm {
namespace {

constexpr std::int64_t kNoLine = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kMessageBytes = std::size_t{1} << 29U;  // of all ranks together in one exchange

// The first error in input order, thrown on every rank and marked as agreed. Collective.
void agree_on_first(const Communicator& comm, std::int64_t line, const Problem& problem) {
    const std::vector<std::int64_t> lines = comm.gather(std::span<const std::int64_t>(&line, 1));
    const auto first = std::min_element(lines.begin(), lines.end());
    if (*first == kNoLine) return;
    const int owner = static_cast<int>(first - lines.begin());
    const std::string text = comm.broadcast(std::to_string(static_cast<int>(problem.code)) + " " + problem.message, owner);
    const std::size_t space = text.find(' ');
    throw Error(text.substr(space + 1), static_cast<ExitCode>(std::stoi(text.substr(0, space)))).mark_agreed();
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

std::int64_t reported(const ItemSet& set, const PrepareOptions& options, const char* count) {
    std::int64_t sum = 0;
    const Json report = set.attributes.value("report", Json::object());
    for (const auto& [lang, counts] : report.items()) {
        const bool wanted = options.langs.empty() || std::ranges::find(options.langs, lang) != options.langs.end();
        if (wanted && counts.is_object() && counts.contains(count) && counts.at(count).is_number_integer())
            sum += counts.at(count).get<std::int64_t>();
    }
    return sum;
}

// What was left out when the items were prepared cannot be had back.
void check_policies(const ItemSet& set, const std::filesystem::path& path, const PrepareOptions& options) {
    const std::int64_t tied = reported(set, options, "tied");
    if (options.keep_tied && tied > 0 && set.attributes.contains("ties") && set.attributes.at("ties") == "drop") {
        fail(path.string() + ": it was prepared without its " + std::to_string(tied) +
             " tied pairs, which an evaluation counts as wrong; prepare the data again with --ties keep, or give the rows");
    }
    const std::int64_t too_long = reported(set, options, "too_long");
    const Json length = set.attributes.value("max_length", Json());
    if (too_long == 0 || !length.is_number_integer() || length.get<std::int64_t>() >= options.max_length) return;
    log_root(LogLevel::warning, path.string() + ": " + std::to_string(too_long) + " items with a text of more than " +
                                    length.dump() + " tokens were cut or dropped when it was prepared; --max-length " +
                                    std::to_string(options.max_length) +
                                    " does not bring them back (prepare the data again with that)");
}

using TakeItem = std::function<void(EncodedItem&& item)>;

// Items of the .h5 inputs; rank 0 alone reads them.
void read_prepared(const PrepareOptions& options, RowSource& source, const Tokenizer& tokenizer,
                   const ChatTemplate& chat_template, const TakeItem& take_item) {
    std::int64_t line = std::numeric_limits<std::int64_t>::min();  // before all lines, in their own order
    for (const auto& path : options.inputs) {
        if (!is_prepared(path)) continue;
        const ItemSet set = read_items(path);
        check_prepared(set.attributes, path, tokenizer, chat_template);
        check_policies(set, path, options);
        require_kind(set, options, path);
        for (const Item& item : set.items) {
            source.saw(item.lang);
            if (!source.chosen(item.id, item.lang)) continue;
            EncodedItem encoded{line++, path.string(), item.id,     item.lang, item.subset,    item.margin, item.num_correct,
                                {},     false,         item.labels, {},        item.occurrence};
            for (std::int32_t k = 0; k < item.answers; ++k) {
                const Answer& answer = set.answers[static_cast<std::size_t>(item.first_answer + k)];
                const auto tokens = set.answer_tokens(answer);
                encoded.texts.push_back({{tokens.begin(), tokens.end()}, answer.prompt, 0, answer.lead});
            }
            take_item(std::move(encoded));
        }
    }
}

std::atomic<std::int64_t> tokenised{0};

// A template that refuses a conversation does not know where it stands.
EncodedItem encode_row(const PreferenceRow& row, std::int64_t line, const std::string& where, const Tokenizer& tokenizer,
                       const ChatTemplate& chat_template) {
    ++tokenised;
    try {
        return encode_item(row, line, where, tokenizer, chat_template);
    } catch (const Error& error) {
        if (std::string_view(error.what()).starts_with(where)) throw;
        fail(where + ": " + error.what(), error.code());
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

Json to_json(const LanguageNames& names) {
    Json lines = Json::object();
    for (const auto& [name, rows] : names.rows()) lines[name] = rows;
    return lines;
}

// The names of all ranks' lines.
LanguageNames names_of_all(const std::vector<std::string>& texts) {
    LanguageNames all;
    for (const std::string& text : texts) {
        const Json names = parse_json(text, "names of languages");
        for (const auto& [name, rows] : names.items()) all.add(name, rows.get<std::int64_t>());
    }
    return all;
}

// Gives the rows' items their languages, now that all names are known, and leaves out what was not meant.
void settle(std::vector<EncodedItem>& items, const SettledLanguages& languages) {
    std::erase_if(items, [&](const EncodedItem& item) { return !languages.wanted(item.lang); });
    for (EncodedItem& item : items) {
        if (item.line >= 0)
            item.lang = languages.of(item.lang);  // a prepared item has the language of all rows that it was prepared with
    }
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

// Reads this rank's share: `take_item` gets its items. What goes wrong is agreed on by the line where it did.
void read_share(const Communicator& comm, const PrepareOptions& options, RowSource& source, const Tokenizer& tokenizer,
                const ChatTemplate& chat_template, const TakeItem& take_item) {
    const Problem problem = attempt([&] {
        const Activity activity("reading the rows");
        if (comm.root()) read_prepared(options, source, tokenizer, chat_template, take_item);
        source.for_each([&](std::int64_t line, const std::string& where, PreferenceRow&& row) {
            require_not_stopped("the rows were read");
            take_item(encode_row(row, line, where, tokenizer, chat_template));
        });
    });
    agree_on_first(comm, problem ? source.line() : kNoLine, problem);
}

}  // namespace

std::int64_t rows_tokenised() { return tokenised; }

Prepared prepare(const Communicator& comm, const PrepareOptions& options, const Tokenizer& tokenizer,
                 const ChatTemplate& chat_template) {
    const StageScope scope("read");
    if (!options.prepared.empty()) {
        Prepared prepared;
        together(comm, [&] {
            const Activity activity("reading the prepared rows");
            prepared = read_prepared(options, tokenizer, chat_template);
        });
        return prepared;
    }
    std::optional<RowSource> source;
    together(comm, [&] {
        require(options.max_length > 0, "--max-length must be above 0", ExitCode::usage);
        source.emplace(options, comm.rank(), comm.size());
    });
    std::string bytes;  // what others are to get
    std::vector<EncodedItem> items;
    read_share(comm, options, *source, tokenizer, chat_template, [&](EncodedItem&& item) {
        if (comm.size() > 1)
            pack(item, bytes);
        else
            items.push_back(std::move(item));
    });
    LanguageNames names;
    std::vector<std::string> langs;
    RowNotes notes;
    const std::vector<std::string> all_names = comm.gather_text(to_json(source->names()).dump());
    const std::vector<std::string> all_notes = comm.gather_text(source->notes().to_json().dump());
    together(comm, [&] {
        names = names_of_all(all_names);
        langs = require_languages(names, options.langs);
        for (const std::string& text : all_notes) notes.add(RowNotes::from_json(parse_json(text, "notes on rows")));
        warn_of_input(options.inputs, names, notes, options.forms);
    });
    std::vector<std::string> packed;
    if (comm.size() > 1) packed = gather_all(comm, bytes);
    Prepared prepared;
    together(comm, [&] {
        const Activity activity("putting the items together");
        if (comm.size() > 1) items = unpack_all(std::move(packed));
        sort_by_line(items);
        settle(items, SettledLanguages(names, options.langs));
        prepared = assemble(std::move(items), options);
        prepared.notes = std::move(notes);
        prepared.names = std::move(names);
        describe_prepared(options, langs, tokenizer, chat_template, prepared);
    });
    prepared.set.attributes["input_sha256"] = input_hashes(comm, options);
    return prepared;
}

void read_rows(const PrepareOptions& options, const std::function<void(std::int64_t line, PreferenceRow&& row)>& row,
               RowNotes* notes) {
    RowSource source(options, 0, 1);
    std::vector<std::pair<std::int64_t, PreferenceRow>> rows;  // their languages are known after the last
    source.for_each(
        [&](std::int64_t line, const std::string&, PreferenceRow&& parsed) { rows.emplace_back(line, std::move(parsed)); });
    require_languages(source.names(), options.langs);
    warn_of_input(options.inputs, source.names(), source.notes(), options.forms);
    if (notes != nullptr) *notes = source.notes();
    const SettledLanguages languages(source.names(), options.langs);
    for (auto& [line, read] : rows) {
        if (!languages.wanted(read.lang_name)) continue;
        read.lang = languages.of(read.lang_name);
        row(line, std::move(read));
    }
}

std::vector<std::string> collect_texts(const PrepareOptions& options) {
    std::vector<std::string> texts;
    read_rows(options, [&](std::int64_t, PreferenceRow&& row) {
        for (ChatMessage& message : row.prompt) texts.push_back(std::move(message.content));
        for (RowAnswer& answer : row.answers) {
            for (ChatMessage& message : answer.turns) texts.push_back(std::move(message.content));
        }
    });
    return texts;
}

}  // namespace xlrm
