#include "xlrm/align/scored_samples.hpp"

#include <limits>
#include <map>
#include <optional>

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/core/utf8.hpp"
#include "xlrm/store/occurrences.hpp"

namespace xlrm {
namespace {

constexpr const char* kCompletions = "completions";

std::string text_of(const Json& line, const char* field, const std::string& where) {
    const auto found = line.find(field);
    if (found == line.end() || !found->is_string()) fail(where + ": field '" + field + "' must be a text");
    return found->get<std::string>();
}

std::int32_t count_of(const Json& line, const char* field, const std::string& where) {
    const Json value = line.value(field, Json(0));
    const bool whole = value.is_number_integer() && value >= 0 && value <= std::numeric_limits<std::int32_t>::max();
    if (!whole) fail(where + ": field '" + field + "' must be a whole number, 0 or more");
    return value.get<std::int32_t>();
}

double number_of(const Json& value, const std::string& name, const std::string& where) {
    if (!value.is_number()) fail(where + ": score '" + name + "' must be a number");
    return value.get<double>();
}

// One sample while files are read.
struct Entry {
    std::vector<std::optional<double>> scores;
    std::optional<std::uint64_t> text;  // its hash
    std::size_t file = 0;               // that had it last
};

class Reader {
public:
    explicit Reader(const std::vector<std::string>& names) : names_(names) {}

    void read(const std::filesystem::path& path) {
        ++file_;
        Occurrences counted;
        for_each_line(path, [&](std::int64_t number, std::string_view text) {
            const std::string where = path.string() + ":" + std::to_string(number);
            const Json line = parse_json(text, where, kRowDepth);
            if (!line.is_object()) fail(where + ": a sample is an object {…}");
            PromptKey key{text_of(line, "id", where), text_of(line, "lang", where), 0};
            if (line.contains(kCompletions)) {
                key.occurrence = counted.next(key.lang, key.id);
                add_prompt(line, key, where);
            } else {
                key.occurrence = count_of(line, "occurrence", where);
                if (!line.contains("sample"))
                    fail(where + ": neither 'sample' nor '" + kCompletions +
                         "' is there; a line is a sample (samples.jsonl) or a prompt with the list of its completions");
                add_sample(line, key, where);
            }
        });
    }

    std::vector<ScoredPrompt> take() const {
        require_all();
        std::vector<ScoredPrompt> prompts;
        for (const auto& [key, samples] : entries_) {
            ScoredPrompt prompt{key, {}, std::vector<std::vector<double>>(names_.size())};
            for (const auto& [sample, entry] : samples) {
                prompt.samples.push_back(sample);
                for (std::size_t k = 0; k < names_.size(); ++k) prompt.scores[k].push_back(*entry.scores[k]);
            }
            prompts.push_back(std::move(prompt));
        }
        return prompts;
    }

private:
    static std::string described(const PromptKey& key, std::int32_t sample) {
        return "sample " + std::to_string(sample) + " of prompt '" + key.id + "' (" + key.lang + ")";
    }

    Entry& entry_of(const PromptKey& key, std::int32_t sample, const Json* text, const std::string& where) {
        Entry& entry = entries_[key][sample];
        if (entry.file == file_) fail(where + ": " + described(key, sample) + " is in this file twice");
        entry.file = file_;
        entry.scores.resize(names_.size());
        if (text == nullptr) return entry;
        if (!text->is_string()) fail(where + ": the text of " + described(key, sample) + " is no text");
        const std::uint64_t hash = stable_hash(text->get_ref<const std::string&>());
        if (entry.text && *entry.text != hash)
            fail(where + ": " + described(key, sample) +
                 " has another text than in a file before (its scores would be of two answers); give files of one run");
        entry.text = hash;
        return entry;
    }

    void set(Entry& entry, std::size_t name, double score, const std::string& where) const {
        std::optional<double>& place = entry.scores[name];
        if (place && *place != score)
            fail(where + ": score '" + names_[name] + "' is " + std::to_string(score) + " here and " + std::to_string(*place) +
                 " in a file before; give one of them");
        place = score;
    }

    void add_sample(const Json& line, const PromptKey& key, const std::string& where) {
        const auto text = line.find("text");
        const bool has_text = text != line.end();
        Entry& entry = entry_of(key, count_of(line, "sample", where), has_text ? &*text : nullptr, where);
        const auto scores = line.find("scores");
        if (scores != line.end() && !scores->is_object()) fail(where + ": field 'scores' must be an object {name: number}");
        for (std::size_t k = 0; k < names_.size(); ++k) {
            const std::string& name = names_[k];
            if (scores != line.end() && scores->contains(name))
                set(entry, k, number_of(scores->at(name), name, where), where);
            else if (name == "tokens" && line.contains(name) && line.at(name).is_array())
                set(entry, k, static_cast<double>(line.at(name).size()), where);
            else if (line.contains(name))
                set(entry, k, number_of(line.at(name), name, where), where);
            else if (name == "characters" && has_text)
                set(entry, k, static_cast<double>(count_code_points(text->get_ref<const std::string&>())), where);
        }
    }

    void add_prompt(const Json& line, const PromptKey& key, const std::string& where) {
        const Json& texts = line.at(kCompletions);
        if (!texts.is_array()) fail(where + ": field '" + std::string(kCompletions) + "' must be a list of texts");
        for (std::size_t i = 0; i < texts.size(); ++i) {
            Entry& entry = entry_of(key, static_cast<std::int32_t>(i), &texts[i], where);
            for (std::size_t k = 0; k < names_.size(); ++k) {
                const auto list = line.find(names_[k]);
                if (list != line.end()) {
                    if (!list->is_array() || list->size() != texts.size())
                        fail(where + ": field '" + names_[k] + "' must be a list of " + std::to_string(texts.size()) +
                             " numbers, one for each completion");
                    set(entry, k, number_of((*list)[i], names_[k], where), where);
                } else if (names_[k] == "characters") {
                    set(entry, k, static_cast<double>(count_code_points(texts[i].get_ref<const std::string&>())), where);
                }
            }
        }
    }

    void require_all() const {
        std::int64_t all = 0;
        for (const auto& [key, samples] : entries_) all += std::ssize(samples);
        require(all > 0, "the files hold no samples, so there is nothing to choose from");
        for (std::size_t k = 0; k < names_.size(); ++k) {
            std::int64_t missing = 0;
            std::string first;
            for (const auto& [key, samples] : entries_) {
                for (const auto& [sample, entry] : samples) {
                    if (entry.scores[k]) continue;
                    if (missing++ == 0) first = described(key, sample);
                }
            }
            if (missing == 0) continue;
            fail(std::to_string(missing) + " of " + std::to_string(all) + " samples have no score '" + names_[k] + "', first " +
                 first + " (choices would be among fewer answers there); label them, or give the file that has it too");
        }
    }

    const std::vector<std::string>& names_;
    std::map<PromptKey, std::map<std::int32_t, Entry>> entries_;
    std::size_t file_ = 0;  // counted from 1
};

}  // namespace

std::vector<ScoredPrompt> read_scored_samples(const std::vector<std::filesystem::path>& files,
                                              const std::vector<std::string>& names) {
    Reader reader(names);
    for (const std::filesystem::path& path : files) reader.read(path);
    return reader.take();
}

}  // namespace xlrm
