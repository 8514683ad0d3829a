#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "row_fields.hpp"
#include "xlrm/data/preference_row.hpp"

namespace xlrm {

//! A published form of rows: known by its columns, and turned into a row of xlrm's own columns (preference_row.hpp), which is
//! then read like any other. A file may hold several; each row is looked at for itself, the first form of the table that fits is
//! its form.
struct RowForm {
    const char* name;             //!< "pku-safe-rlhf"
    std::optional<RowKind> kind;  //!< what its rows are unless something else is asked for; nothing: as their other columns say
    const char* columns;          //!< that it is known by, for messages
    bool (*fits)(const Json& row);
    //! The own columns: those that the form gives. The others of the row are added unless read() has used them. Throws Error.
    Json (*read)(const Fields& row, const RowFormOptions& options);
};

const std::vector<RowForm>& row_forms();
//! Null: the row has xlrm's own columns, or is of no known form.
const RowForm* form_of(const Json& row, const RowFormOptions& options);

//! The row with the columns that `options.columns` names under xlrm's names. A column that the row lacks is left out of account:
//! rows of another file may have xlrm's own.
std::vector<std::string> parts_of(const std::string& columns);  //!< "a+b"
Json with_columns(const Json& row, const RowFormOptions& options, const std::string& where);

//! A ranking's best answer against its worst, as a pair; nothing where they are equal, or there is one alone.
std::optional<Json> best_and_worst(const Fields& ranking);

//! What rows_of_json reads: a row of xlrm's own columns, whatever it was published as.
struct OwnRow {
    Json made;                                //!< null: the published row is one as it stands
    bool left_out = false;                    //!< no item comes of it
    std::string form;                         //!< "pku-safe-rlhf", or the kind of the own columns
    std::set<std::string, std::less<>> used;  //!< columns of the published row that went into it under other names
};
//! Throws Error where rows of `kind` cannot be made of it, with what it is instead.
OwnRow own_row(const Json& row, RowKind kind, const std::string& where, const RowFormOptions& options, RowNotes* notes);

//! What a row is unless something else is asked for.
RowKind natural_kind(const Json& row, const std::string& where, const RowFormOptions& options);

//! "is missing, and the row is of no known form: …": the columns that it has, and the forms that are known.
std::string no_known_form(const Json& row);

//! Where a row that was made of several says of which form they were.
inline constexpr const char* kFormColumn = "xlrm_form";

//! Helpers of the forms.
bool has_all(const Json& row, std::initializer_list<const char*> columns);  //!< there, and not null
//! A list of objects that have these fields.
bool is_list_with(const Json& row, const char* column, std::initializer_list<const char*> fields);
Json assistant_turn(const std::string& text);
//! HH-RLHF's dialogue ("\n\nHuman: … \n\nAssistant: …") as a list of messages; null where the text is not one.
Json dialogue_of(const std::string& text);

namespace forms {
Json alpaca(const Fields& row, const RowFormOptions& options);
Json chatbot_arena(const Fields& row, const RowFormOptions& options);
Json helpsteer2(const Fields& row, const RowFormOptions& options);
Json helpsteer2_preference(const Fields& row, const RowFormOptions& options);
Json helpsteer3(const Fields& row, const RowFormOptions& options);
Json messages(const Fields& row, const RowFormOptions& options);
Json nectar(const Fields& row, const RowFormOptions& options);
Json nemo_rl(const Fields& row, const RowFormOptions& options);
Json offsetbias(const Fields& row, const RowFormOptions& options);
Json pku_safe_rlhf(const Fields& row, const RowFormOptions& options);
Json samples(const Fields& row, const RowFormOptions& options);
Json sharegpt(const Fields& row, const RowFormOptions& options);
Json shp(const Fields& row, const RowFormOptions& options);
Json ultrafeedback(const Fields& row, const RowFormOptions& options);
}  // namespace forms

}  // namespace xlrm
