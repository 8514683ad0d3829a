#include "foreign_scores.hpp"

#include <algorithm>
#include <cmath>

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json.hpp"

namespace xlrm {

namespace {

namespace fs = std::filesystem;

std::string text_of(const Json& value, const std::string& place) {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_number_integer()) return value.dump();
    fail(place + ": must be a text or a whole number, not " + value.dump());
}

//! A head of one label gives lists of one number.
double number_of(const Json& given, const std::string& place) {
    const Json& value = given.is_array() && given.size() == 1 ? given[0] : given;
    if (!value.is_number() || !std::isfinite(value.get<double>()))
        fail(place + ": must be a finite number, not " + value.dump() + "; leave the item out, or evaluate it again");
    return value.get<double>();
}

//! 1 and 0, 0 and 1, or ½ twice.
std::vector<double> verdict_of(const Json& value, const std::string& place) {
    const double won = number_of(value, place);
    if (won != 0.0 && won != 0.5 && won != 1.0) fail(place + ": must be 0, 0.5 or 1, not " + value.dump());
    return {won, 1.0 - won};
}

//! A column of `object` with as many values as there are items (0: not known yet).
const Json& column(const Json& object, const std::string& name, std::size_t* items, const std::string& file) {
    if (!object.contains(name)) fail(file + ": field " + name + " is missing");
    const Json& values = object.at(name);
    if (!values.is_array()) fail(file + ": field " + name + " must be a list, a value an item");
    if (*items != 0 && values.size() != *items)
        fail(file + ": field " + name + " has " + std::to_string(values.size()) + " values, others have " +
             std::to_string(*items));
    if (values.empty()) fail(file + ": field " + name + " is empty, so there is no item");
    *items = values.size();
    return values;
}

std::string at(const std::string& file, const std::string& name, std::size_t item) {
    return file + ": " + name + "[" + std::to_string(item) + "]";
}

bool all_null(const Json& values) {
    return std::ranges::all_of(values, [](const Json& value) { return value.is_null(); });
}

void add_lists(ForeignScores& out, const Json& object, std::size_t items, const std::string& file) {
    out.form = "RewardBench 2 scores";
    const Json& scores = column(object, "scores", &items, file);
    const Json& right = column(object, "num_correct", &items, file);
    for (std::size_t i = 0; i < items; ++i) {
        const std::string place = at(file, "scores", i);
        if (!scores[i].is_array() || scores[i].size() < 2) fail(place + ": must be a list of the scores of two answers or more");
        std::vector<double> answers;
        for (const Json& score : scores[i]) answers.push_back(number_of(score, place));
        const double correct = number_of(right[i], at(file, "num_correct", i));
        if (correct < 1 || correct >= static_cast<double>(answers.size()) || correct != std::floor(correct))
            fail(at(file, "num_correct", i) + ": must lie between 1 and the number of answers minus 1, not " + right[i].dump());
        out.scores.push_back(std::move(answers));
        out.num_correct.push_back(static_cast<std::int32_t>(correct));
    }
}

void add_pairs(ForeignScores& out, const Json& object, std::size_t items, const std::string& file) {
    const bool scored = object.contains("scores_chosen") && !all_null(object.at("scores_chosen"));
    out.verdicts = !scored;
    out.form = scored ? "RewardBench scores" : "RewardBench verdicts";
    if (!scored && !object.contains("results")) fail(file + ": has neither scores_chosen nor results, so nothing says who won");
    for (std::size_t i = 0; i < items; ++i) {
        if (scored) {
            const Json& chosen = column(object, "scores_chosen", &items, file);
            const Json& rejected = column(object, "scores_rejected", &items, file);
            out.scores.push_back(
                {number_of(chosen[i], at(file, "scores_chosen", i)), number_of(rejected[i], at(file, "scores_rejected", i))});
        } else {
            out.scores.push_back(verdict_of(column(object, "results", &items, file)[i], at(file, "results", i)));
        }
        out.num_correct.push_back(1);
    }
}

ForeignScores from_columns(const Json& object, const std::string& file) {
    ForeignScores out;
    std::size_t items = 0;
    const Json& ids = column(object, "id", &items, file);
    const Json& subsets = column(object, "subset", &items, file);
    for (std::size_t i = 0; i < items; ++i) {
        out.id.push_back(text_of(ids[i], at(file, "id", i)));
        out.subset.push_back(text_of(subsets[i], at(file, "subset", i)));
    }
    if (object.contains("scores"))
        add_lists(out, object, items, file);
    else
        add_pairs(out, object, items, file);
    return out;
}

//! M-RewardBench's judges: verdicts in the order of the data.
ForeignScores from_judge(const Json& object, const std::string& file) {
    ForeignScores out;
    out.form = "M-RewardBench verdicts";
    out.verdicts = true;
    std::size_t items = 0;
    const Json& results = column(object.at("scores"), "results", &items, file);
    for (std::size_t i = 0; i < items; ++i) {
        out.id.push_back(std::to_string(i));
        out.subset.emplace_back();
        out.scores.push_back(verdict_of(results[i], at(file, "scores.results", i)));
        out.num_correct.push_back(1);
    }
    return out;
}

ForeignScores from_json(const fs::path& path) {
    const Json object = read_json(path);
    const std::string file = path.string();
    if (!object.is_object()) fail(file + ": must be an object, as RewardBench writes its results");
    const bool columns = object.contains("id") && object.at("id").is_array();
    const bool judge = object.contains("scores") && object.at("scores").is_object();
    if (!columns && !judge) {
        fail(file +
             ": holds no scores of items (its fields are accuracies, or no results at all), and tables are made of items; give "
             "the "
             "file of eval-set-scores/, <model>_outputs.jsonl or <model>-<lang>-all.jsonl");
    }
    ForeignScores out = columns ? from_columns(object, file) : from_judge(object, file);
    const auto text = [&](const char* name) {
        return object.contains(name) && object.at(name).is_string() ? object.at(name).get<std::string>() : "";
    };
    out.model = text("model");
    out.chat_template = text("chat_template");
    return out;
}

//! The first of these fields that the row has, as text; "" for none.
std::string any_text(const Json& row, const std::vector<std::string>& names, const std::string& place) {
    for (const std::string& name : names)
        if (row.contains(name) && !row.at(name).is_null()) return text_of(row.at(name), place + ": " + name);
    return "";
}

ForeignScores from_lines(const fs::path& path) {
    ForeignScores out;
    bool named = false;
    for_each_line(path, [&](std::int64_t number, std::string_view line) {
        if (line.find_first_not_of(" \t") == std::string_view::npos) return;
        const std::string place = path.string() + ":" + std::to_string(number);
        const Json row = parse_json(line, place);
        if (!row.is_object()) fail(place + ": must be an object");
        const bool outputs = row.contains("scores_chosen") || row.contains("results");
        const bool verdict = outputs && (!row.contains("scores_chosen") || row.at("scores_chosen").is_null());
        if (out.scores.empty()) {
            out.form = outputs ? "RewardBench outputs" : "M-RewardBench scores";
            out.verdicts = verdict;
            named = row.contains("id");
        }
        if (verdict != out.verdicts)
            fail(place + ": scores_chosen: some rows have scores and some do not, so they have no common scale");
        if (row.contains("id") != named) fail(place + ": id: some rows have one and some do not");
        const auto field = [&](const std::string& name) {
            if (!row.contains(name)) fail(place + ": field " + name + " is missing");
            return number_of(row.at(name), place + ": " + name);
        };
        if (verdict)
            out.scores.push_back(verdict_of(row.at("results"), place + ": results"));
        else if (outputs)
            out.scores.push_back({field("scores_chosen"), field("scores_rejected")});
        else
            out.scores.push_back({field("chosen"), field("rejected")});
        out.id.push_back(named ? any_text(row, {"id"}, place) : std::to_string(out.id.size()));
        out.subset.push_back(any_text(row, {"subset", "source"}, place));
        out.lang.push_back(any_text(row, {"language", "lang"}, place));
        out.num_correct.push_back(1);
    });
    if (out.scores.empty()) fail(path.string() + ": has no row, so there is no item");
    if (std::ranges::all_of(out.lang, [](const std::string& lang) { return lang.empty(); })) out.lang.clear();
    return out;
}

}  // namespace

ForeignScores read_foreign_scores(const fs::path& path) {
    const std::string name = path.filename().string();
    if (name.ends_with(".json")) return from_json(path);
    if (name.ends_with(".jsonl") || name.ends_with(".jsonl.gz")) return from_lines(path);
    fail(path.string() + ": results are read from .json and .jsonl, hidden states from .h5, .hdf5 and .npy; this is none of them",
         ExitCode::usage);
}

}  // namespace xlrm
