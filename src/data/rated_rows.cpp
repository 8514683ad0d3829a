#include "rated_rows.hpp"

#include "row_fields.hpp"
#include "row_forms.hpp"

namespace xlrm {
namespace {

bool is_rated(const Json& row, const std::string& rating) {
    return row.is_object() && has_all(row, {"response", rating.c_str()}) && !row.contains("responses") && !row.contains("chosen");
}

bool same_prompt(const Json& a, const Json& b) {
    for (const char* name : {"prompt", "question", "input", "instruction", "system", "lang", "language"}) {
        if (a.value(name, Json()) != b.value(name, Json())) return false;
    }
    return true;
}

}  // namespace

void for_each_rated_row(const std::filesystem::path& path, const RowFormOptions& options,
                        const std::function<void(std::int64_t number, const RawRow& raw)>& row) {
    const std::string& rating = options.pair_by;
    if (rating.empty()) return for_each_raw_row(path, row);
    Json group, head;  // the row that is made, and the first of those that it is made of
    std::int64_t first = 0;
    const auto end_group = [&] {
        if (!group.is_null()) row(first, [&] { return std::move(group); });
        group = nullptr;
    };
    for_each_raw_row(path, [&](std::int64_t number, const RawRow& raw) {
        const std::string where = path.string() + ":" + std::to_string(number);
        Json read = with_columns(raw(), options, where);
        if (!is_rated(read, rating)) {
            end_group();
            row(number, [&] { return std::move(read); });
            return;
        }
        const Fields fields(read, where);
        fields.number(read.at(rating), rating);
        if (group.is_null() || !same_prompt(head, read)) {
            end_group();
            group = head = read;
            group.erase("response");
            group["responses"] = group["ranks"] = Json::array();
            if (const RowForm* form = form_of(read, options); form != nullptr) {
                for (const char* name : {"instruction", "input", "context"}) group.erase(name);
                group["prompt"] = form->read(fields, options).at("prompt");
                group[kFormColumn] = form->name;
            }
            first = number;
        }
        group["responses"].push_back(Json::array({assistant_turn(fields.any_text(read.at("response"), "response"))}));
        group["ranks"].push_back(-read.at(rating).get<double>());
    });
    end_group();
}

}  // namespace xlrm
