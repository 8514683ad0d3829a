#include "xlrm/store/items_file.hpp"

#include <algorithm>
#include <cmath>

#include "h5_read.hpp"
#include "h5_write.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/store/occurrences.hpp"

namespace xlrm {
namespace {

constexpr const char* kItemsConventions = "XLRM-items-1";
constexpr std::int64_t kItemsVersion = 1;

template <class Rows, class Get>
auto column(const Rows& rows, Get get) {
    std::vector<decltype(get(rows[0]))> values;
    values.reserve(rows.size());
    for (const auto& row : rows) values.push_back(get(row));
    return values;
}

template <class T>
void put(h5::OutGroup& group, const std::string& name, const std::string& dimension, const std::vector<T>& values) {
    group.dataset(name, {dimension}, std::span<const T>(values));
}

template <class T>
std::vector<T> get(const h5::InFile& file, const std::string& path, std::size_t rows) {
    h5::Table<T> table = file.read<T>(path);
    if (table.extents.size() != 1 || table.values.size() != rows)
        fail(file.name() + ":" + path + ": has other rows than its group (" + std::to_string(rows) + ")");
    return std::move(table.values);
}

std::vector<std::string> get_texts(const h5::InFile& file, const std::string& path, std::size_t rows) {
    std::vector<std::string> values = file.texts(path);
    if (values.size() != rows) fail(file.name() + ":" + path + ": has other rows than its group (" + std::to_string(rows) + ")");
    return values;
}

//! What every reader of an ItemSet relies on; `name` says where it comes from. `tokens`: how many there are.
void check_ranges(const ItemSet& set, std::int64_t tokens, const std::string& name) {
    for (std::size_t i = 0; i < set.answers.size(); ++i) {
        const Answer& answer = set.answers[i];
        if (answer.begin < 0 || answer.length < 1 || answer.begin > tokens - answer.length)
            fail(name + ":/answers: row " + std::to_string(i) + " lies outside /tokens");
        if (answer.prompt < 0 || answer.prompt > answer.length)
            fail(name + ":/answers/prompt: row " + std::to_string(i) + " is longer than its answer");
        if (answer.completion() < 0 || answer.completion() > answer.length)
            fail(name + ":/answers/completion: row " + std::to_string(i) + " lies outside of its answer");
    }
    const auto answers = static_cast<std::int64_t>(set.answers.size());
    for (std::size_t i = 0; i < set.items.size(); ++i) {
        const Item& item = set.items[i];
        if (item.first_answer < 0 || item.answers < 1 || item.first_answer > answers - item.answers)
            fail(name + ":/items: row " + std::to_string(i) + " ('" + item.id + "') lies outside /answers");
        if (std::isinf(item.margin)) fail(name + ":/items/margin: row " + std::to_string(i) + " ('" + item.id + "') is infinite");
        if (item.num_correct < 0 || item.num_correct > item.answers)
            fail(name + ":/items/num_correct: row " + std::to_string(i) + " ('" + item.id + "') exceeds its answers");
    }
}

void check_tokens(const ItemSet& set, const std::string& name) {
    for (std::size_t i = 0; i < set.tokens.size(); ++i)
        if (set.tokens[i] < 0) fail(name + ":/tokens: token " + std::to_string(i) + " is negative");
}

// Where all completions begin with the answers, the file is as it would be without them.
void put_completions(h5::OutGroup& answers, const ItemSet& set) {
    if (std::ranges::all_of(set.answers, [](const Answer& a) { return a.lead == 0; })) return;
    put(answers, "completion", "answer", column(set.answers, [](const Answer& a) { return a.completion(); }));
}

void get_completions(const h5::InFile& file, ItemSet& set) {
    if (!file.contains("/answers/completion")) return;
    const auto completion = get<std::int32_t>(file, "/answers/completion", set.answers.size());
    for (std::size_t i = 0; i < completion.size(); ++i) {
        Answer& answer = set.answers[i];
        // Looked at here too: a difference of such numbers may be none.
        if (completion[i] < 0 || completion[i] > answer.length || answer.prompt < 0)
            fail(file.name() + ":/answers/completion: row " + std::to_string(i) + " lies outside of its answer");
        answer.lead = answer.prompt - completion[i];
    }
}

// Rankings and regressions alone have labels: other files stay as they were.
void put_labels(h5::OutGroup& root, h5::OutGroup& items, const ItemSet& set) {
    std::vector<float> labels;
    for (const Item& item : set.items) labels.insert(labels.end(), item.labels.begin(), item.labels.end());
    if (labels.empty()) return;
    put(items, "labels", "item", column(set.items, [](const Item& i) { return static_cast<std::int32_t>(i.labels.size()); }));
    root.dimension("label", static_cast<std::int64_t>(labels.size()));
    put(root, "labels", "label", labels);
}

void get_labels(const h5::InFile& file, ItemSet& set) {
    if (!file.contains("/labels")) return;
    const auto counts = get<std::int32_t>(file, "/items/labels", set.items.size());
    const auto labels = file.read<float>("/labels").values;
    std::size_t at = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const auto count = static_cast<std::size_t>(counts[i]);
        if (counts[i] < 0 || count > labels.size() - at)
            fail(file.name() + ":/items/labels: row " + std::to_string(i) + " lies outside /labels");
        set.items[i].labels.assign(labels.begin() + static_cast<std::ptrdiff_t>(at),
                                   labels.begin() + static_cast<std::ptrdiff_t>(at + count));
        at += count;
    }
    if (at != labels.size()) fail(file.name() + ":/labels: has more rows than the items name");
}

void get_occurrences(const h5::InFile& file, ItemSet& set) {
    if (!file.contains("/items/occurrence")) {
        Occurrences counted;
        for (Item& item : set.items) item.occurrence = counted.next(item.lang, item.id);
        return;
    }
    const auto occurrence = get<std::int32_t>(file, "/items/occurrence", set.items.size());
    for (std::size_t i = 0; i < occurrence.size(); ++i) {
        if (occurrence[i] < 0) fail(file.name() + ":/items/occurrence: row " + std::to_string(i) + " is negative");
        set.items[i].occurrence = occurrence[i];
    }
}

std::string image(const std::filesystem::path& path, const ItemSet& set) {
    const h5::OutFile file(path.string(), set.tokens.size() * sizeof(std::int32_t));
    h5::OutGroup root = file.root();
    root.attribute("Conventions", kItemsConventions);
    root.attribute("schema_version", kItemsVersion);
    root.attribute("attributes", set.attributes.dump());
    root.dimension("token", static_cast<std::int64_t>(set.tokens.size()));
    put(root, "tokens", "token", set.tokens);

    h5::OutGroup answers = root.group("answers");
    answers.dimension("answer", static_cast<std::int64_t>(set.answers.size()));
    put(answers, "begin", "answer", column(set.answers, [](const Answer& a) { return a.begin; }));
    put(answers, "length", "answer", column(set.answers, [](const Answer& a) { return a.length; }));
    put(answers, "prompt", "answer", column(set.answers, [](const Answer& a) { return a.prompt; }));
    put_completions(answers, set);

    h5::OutGroup items = root.group("items");
    items.dimension("item", static_cast<std::int64_t>(set.items.size()));
    items.texts("id", "item", column(set.items, [](const Item& i) { return i.id; }));
    items.texts("lang", "item", column(set.items, [](const Item& i) { return i.lang; }));
    items.texts("subset", "item", column(set.items, [](const Item& i) { return i.subset; }));
    put(items, "first_answer", "item", column(set.items, [](const Item& i) { return i.first_answer; }));
    put(items, "answers", "item", column(set.items, [](const Item& i) { return i.answers; }));
    put(items, "num_correct", "item", column(set.items, [](const Item& i) { return i.num_correct; }));
    put(items, "margin", "item", column(set.items, [](const Item& i) { return i.margin; }));
    put_labels(root, items, set);
    put(items, "occurrence", "item", column(set.items, [](const Item& i) { return i.occurrence; }));
    return file.image();
}

Json item_attributes(const h5::InFile& file) {
    file.require_schema(kItemsConventions, kItemsVersion);
    const Json root = file.attributes();
    if (!root.contains("attributes") || !root["attributes"].is_string())
        fail(file.name() + ": the attribute 'attributes' is missing");
    return parse_json(root["attributes"].get<std::string>(), file.name() + ", attribute 'attributes'");
}

constexpr std::int64_t kWindow = std::int64_t{1} << 22U;  // tokens that are read together

// All but the tokens.
ItemSet read_columns(const h5::InFile& file) {
    ItemSet set;
    set.attributes = item_attributes(file);
    const auto begin = file.read<std::int64_t>("/answers/begin").values;
    const auto length = get<std::int32_t>(file, "/answers/length", begin.size());
    const auto prompt = get<std::int32_t>(file, "/answers/prompt", begin.size());
    for (std::size_t i = 0; i < begin.size(); ++i) set.answers.push_back({begin[i], length[i], prompt[i]});
    get_completions(file, set);

    std::vector<std::string> id = file.texts("/items/id");
    std::vector<std::string> lang = get_texts(file, "/items/lang", id.size());
    std::vector<std::string> subset = get_texts(file, "/items/subset", id.size());
    const auto first = get<std::int64_t>(file, "/items/first_answer", id.size());
    const auto answers = get<std::int32_t>(file, "/items/answers", id.size());
    const auto correct = get<std::int32_t>(file, "/items/num_correct", id.size());
    const auto margin = get<float>(file, "/items/margin", id.size());
    for (std::size_t i = 0; i < id.size(); ++i)
        set.items.push_back(
            {std::move(id[i]), std::move(lang[i]), std::move(subset[i]), first[i], answers[i], correct[i], margin[i], {}, 0});
    get_labels(file, set);
    get_occurrences(file, set);
    check_ranges(set, file.length("/tokens"), file.name());
    return set;
}

// Tokens [begin, begin + count) of a file, of which a window is in memory.
class TokenWindow {
public:
    explicit TokenWindow(const h5::InFile& file) : file_(file), total_(file.length("/tokens")) {}

    std::span<const std::int32_t> tokens(std::int64_t begin, std::int64_t count) {
        const std::int64_t end = first_ + static_cast<std::int64_t>(window_.size());
        if (begin < first_ || begin + count > end) {
            window_ = file_.read_range("/tokens", begin, std::min(std::max(kWindow, count), total_ - begin));
            first_ = begin;
        }
        return std::span<const std::int32_t>(window_).subspan(static_cast<std::size_t>(begin - first_),
                                                              static_cast<std::size_t>(count));
    }

private:
    const h5::InFile& file_;
    std::int64_t total_, first_ = 0;
    std::vector<std::int32_t> window_;
};

}  // namespace

void write_items(const std::filesystem::path& path, const ItemSet& set) {
    write_items(path, set, [](const std::string&) {});
}

void write_items(const std::filesystem::path& path, const ItemSet& set,
                 const std::function<void(const std::string& bytes)>& before) {
    check_ranges(set, static_cast<std::int64_t>(set.tokens.size()), path.string());
    check_tokens(set, path.string());
    const std::string bytes = image(path, set);
    before(bytes);
    write_file_atomic(path, bytes);
}

Json read_item_attributes(const std::filesystem::path& path) { return item_attributes(h5::InFile(path)); }

ItemSet read_items(const std::filesystem::path& path) {
    const h5::InFile file(path);
    ItemSet set = read_columns(file);
    set.tokens = file.read<std::int32_t>("/tokens").values;
    check_tokens(set, file.name());
    return set;
}

ItemSet read_items(const std::filesystem::path& path, const std::function<bool(const std::string& lang)>& keep) {
    const h5::InFile file(path);
    ItemSet all = read_columns(file);
    ItemSet set;
    set.attributes = std::move(all.attributes);
    TokenWindow window(file);
    for (Item& item : all.items) {
        if (!keep(item.lang)) continue;
        const std::int64_t first = item.first_answer;
        item.first_answer = static_cast<std::int64_t>(set.answers.size());
        for (std::int64_t k = 0; k < item.answers; ++k) {
            Answer answer = all.answers[static_cast<std::size_t>(first + k)];
            const std::span<const std::int32_t> tokens = window.tokens(answer.begin, answer.length);
            answer.begin = static_cast<std::int64_t>(set.tokens.size());
            set.tokens.insert(set.tokens.end(), tokens.begin(), tokens.end());
            set.answers.push_back(answer);
        }
        set.items.push_back(std::move(item));
    }
    check_tokens(set, file.name());
    return set;
}

}  // namespace xlrm
