#include "raw_rows.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

// First bytes of what is not read as rows, and what to do about it.
struct Form {
    std::string_view magic;
    const char* what;
};
constexpr Form kParquet{"PAR1", "it is Parquet inside gzip, which is not read; decompress it first (gunzip)"};
constexpr std::array kOtherForms = {
    Form{"\x28\xB5\x2F\xFD", "it is compressed with zstd, which is not read; decompress it first (zstd -d)"},
    Form{"BZh", "it is compressed with bzip2, which is not read; decompress it first (bunzip2)"},
    Form{std::string_view("\xFD"
                          "7zXZ\0",
                          6),
         "it is compressed with xz, which is not read; decompress it first (unxz)"},
    Form{"PK\x03\x04", "it is a zip archive, which is not read; unpack it first (unzip)"},
    Form{"\x04\x22\x4D\x18", "it is compressed with lz4, which is not read; decompress it first (lz4 -d)"},
    Form{"\x1F\x9D", "it is compressed with compress, which is not read; decompress it first (uncompress)"},
    Form{"\x89HDF", "it is HDF5; prepared items are known by the name's end .h5, and other HDF5 files are not read"},
    Form{"ARROW1", "it is an Arrow file, which is not read; write it as Parquet"},
    Form{std::string_view("\xFF\xFF\xFF\xFF", 4), "it is an Arrow stream, which is not read; write it as Parquet"},
    Form{"\xFF\xFE", "it is UTF-16; convert it first (iconv -f UTF-16 -t UTF-8)"},
    Form{"\xFE\xFF", "it is UTF-16; convert it first (iconv -f UTF-16 -t UTF-8)"},
    kParquet,
};

void refuse_other_forms(const fs::path& path, std::string_view beginning) {
    for (const Form& form : kOtherForms) {
        if (beginning.starts_with(form.magic)) fail(path.string() + ": " + form.what);
    }
}

void require_regular(const fs::path& path) {
    std::error_code unseen;  // what cannot be looked at cannot be opened either, and that says why
    const fs::file_status status = fs::status(path, unseen);
    if (unseen || status.type() == fs::file_type::regular || status.type() == fs::file_type::not_found) return;
    const bool folder = status.type() == fs::file_type::directory;
    fail(path.string() + (folder ? ": it is a folder; name the files in it"
                                 : ": not a regular file (rows are read more than once, a pipe only once); "
                                   "write them into a file and give that"),
         ExitCode::io);
}

std::string lower_extension(const fs::path& path) {
    std::string text = path.extension().string();
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

using TakeRow = std::function<void(std::int64_t number, const RawRow& raw)>;

// JSON lines, or one list over all lines.
void for_each_json_row(const fs::path& path, const TakeRow& row) {
    std::string list;
    bool first = true;
    for_each_line(path, [&](std::int64_t number, std::string_view text) {
        if (number == 1) {
            refuse_other_forms(path, text);
            if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
        }
        if (!list.empty()) {
            list.append(1, '\n').append(text);
            return;
        }
        const std::string_view content = strip(text);
        if (content.empty()) return;
        if (first && content.front() == '[') list = text;
        first = false;
        if (list.empty()) row(number, [&] { return parse_json(text, path.string() + ":" + std::to_string(number), kRowDepth); });
    });
    if (list.empty()) return;
    const Json rows = parse_json(list, path.string(), kRowDepth + 1);
    std::string().swap(list);
    for (std::size_t i = 0; i < rows.size(); ++i) row(static_cast<std::int64_t>(i) + 1, [&] { return rows[i]; });
}

}  // namespace

bool is_prepared(const fs::path& path) { return lower_extension(path) == ".h5"; }

void for_each_raw_row(const fs::path& path, const TakeRow& row) {
    require_regular(path);
    const std::string beginning = read_beginning(path, 8);
    if (beginning.starts_with(kParquet.magic) || lower_extension(path) == ".parquet") return for_each_parquet_row(path, row);
    refuse_other_forms(path, beginning);
    const std::string extension = lower_extension(path);
    if (extension == ".csv" || extension == ".tsv")
        fail(path.string() + ": a table of text is not read; write it as JSON lines or Parquet");
    for_each_json_row(path, row);
}

}  // namespace xlrm
