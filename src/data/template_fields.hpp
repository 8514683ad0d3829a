#pragma once

#include <string>
#include <vector>

#include "xlrm/data/preference_row.hpp"
#include "xlrm/text/chat_template.hpp"

namespace xlrm {

//! What of a row its template does not read, for the report: "'name' of a message", "'tools' of a row". `texts` are the row's
//! conversations as rendered. Fields without a content (null, "", [], {}) do not count; where the template names a field of
//! something else too (a tool's `name`), the text without it decides. Throws Error naming `where`, the template and the field
//! where a call of a tool would be missing.
std::vector<std::string> unread_fields(const PreferenceRow& row, const std::vector<std::string>& texts,
                                       const ChatTemplate& chat_template, const std::string& where);

}  // namespace xlrm
