#include <arrow/array.h>
#include <arrow/extension_type.h>
#include <arrow/io/file.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "raw_rows.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/utf8.hpp"

// The only source that includes Arrow: its headers take as long to compile as libtorch's.

namespace xlrm {
namespace {

using arrow::Array;
using arrow::Type;

template <class T>
T taken(arrow::Result<T>&& result, const std::filesystem::path& path) {
    if (result.ok()) return std::move(result).ValueUnsafe();
    fail(path.string() + ": Arrow cannot read it as Parquet (" + result.status().ToString() + ")",
         result.status().IsIOError() ? ExitCode::io : ExitCode::failure);
}

template <class Typed>
const Typed& as(const Array& array) {
    return static_cast<const Typed&>(array);
}

// One value of a column; `where` ("rows.parquet:17: field 'prompt'") stands in messages.
class Value {
public:
    explicit Value(const std::string& where) : where_(where) {}

    Json operator()(const Array& array, std::int64_t i) const {
        if (array.IsNull(i)) return nullptr;
        switch (array.type_id()) {
            case Type::STRING:
                return text(as<arrow::StringArray>(array).GetView(i));
            case Type::LARGE_STRING:
                return text(as<arrow::LargeStringArray>(array).GetView(i));
            case Type::STRING_VIEW:
                return text(as<arrow::StringViewArray>(array).GetView(i));
            // Some writers do not mark their text as such.
            case Type::BINARY:
                return text(as<arrow::BinaryArray>(array).GetView(i));
            case Type::LARGE_BINARY:
                return text(as<arrow::LargeBinaryArray>(array).GetView(i));
            case Type::BINARY_VIEW:
                return text(as<arrow::BinaryViewArray>(array).GetView(i));
            case Type::FIXED_SIZE_BINARY:
                return Json::binary(std::vector<std::uint8_t>());
            case Type::BOOL:
                return as<arrow::BooleanArray>(array).Value(i);
            case Type::INT8:
                return as<arrow::Int8Array>(array).Value(i);
            case Type::INT16:
                return as<arrow::Int16Array>(array).Value(i);
            case Type::INT32:
                return as<arrow::Int32Array>(array).Value(i);
            case Type::INT64:
                return as<arrow::Int64Array>(array).Value(i);
            case Type::UINT8:
                return as<arrow::UInt8Array>(array).Value(i);
            case Type::UINT16:
                return as<arrow::UInt16Array>(array).Value(i);
            case Type::UINT32:
                return as<arrow::UInt32Array>(array).Value(i);
            case Type::UINT64:
                return as<arrow::UInt64Array>(array).Value(i);
            case Type::HALF_FLOAT:
                return number(half(as<arrow::HalfFloatArray>(array).Value(i)));
            case Type::DECIMAL32:
            case Type::DECIMAL64:
            case Type::DECIMAL128:
            case Type::DECIMAL256:
                return decimal(printed(array, i).get<std::string>());
            case Type::FLOAT:
                return number(as<arrow::FloatArray>(array).Value(i));
            case Type::DOUBLE:
                return number(as<arrow::DoubleArray>(array).Value(i));
            case Type::LIST:
                return list(as<arrow::ListArray>(array), i);
            case Type::LARGE_LIST:
                return list(as<arrow::LargeListArray>(array), i);
            case Type::FIXED_SIZE_LIST:
                return list(as<arrow::FixedSizeListArray>(array), i);
            case Type::STRUCT:
                return object(as<arrow::StructArray>(array), i);
            case Type::MAP:
                return map(as<arrow::MapArray>(array), i);
            case Type::DICTIONARY:
                return (*this)(*as<arrow::DictionaryArray>(array).dictionary(),
                               as<arrow::DictionaryArray>(array).GetValueIndex(i));
            case Type::EXTENSION:
                return (*this)(*as<arrow::ExtensionArray>(array).storage(), i);
            default:
                return printed(array, i);
        }
    }

private:
    // Bytes that are no text are told from text, and no more: whoever wants text refuses them, and columns of images do no harm.
    static Json text(std::string_view value) {
        return is_valid_utf8(value) ? Json(std::string(value)) : Json::binary(std::vector<std::uint8_t>());
    }
    // IEEE 754 half precision, exactly.
    static double half(std::uint16_t bits) {
        const int exponent = (bits >> 10U) & 0x1FU;
        const int fraction = bits & 0x3FFU;
        double value = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(fraction + 1024, exponent - 25);
        if (exponent == 0x1F)
            value = fraction == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
        return (bits & 0x8000U) != 0 ? -value : value;
    }
    // A whole number stays one: it may be an id.
    static Json decimal(const std::string& digits) {
        std::int64_t whole = 0;
        const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), whole);
        if (status == std::errc() && end == digits.data() + digits.size()) return whole;
        return std::strtod(digits.c_str(), nullptr);
    }
    // pandas writes NaN for what is absent.
    static Json number(double value) { return std::isnan(value) ? Json() : Json(value); }
    template <class List>
    Json list(const List& array, std::int64_t i) const {
        Json values = Json::array();
        for (std::int64_t k = array.value_offset(i); k < array.value_offset(i) + array.value_length(i); ++k)
            values.push_back((*this)(*array.values(), k));
        return values;
    }
    Json object(const arrow::StructArray& array, std::int64_t i) const {
        Json fields = Json::object();
        for (int k = 0; k < array.num_fields(); ++k) fields[array.struct_type()->field(k)->name()] = (*this)(*array.field(k), i);
        return fields;
    }
    // An object where the keys are text, else a list of pairs.
    Json map(const arrow::MapArray& array, std::int64_t i) const {
        Json fields = Json::object(), pairs = Json::array();
        for (std::int64_t k = array.value_offset(i); k < array.value_offset(i) + array.value_length(i); ++k) {
            Json key = (*this)(*array.keys(), k), value = (*this)(*array.items(), k);
            if (key.is_string()) fields[key.get<std::string>()] = value;
            pairs.push_back({std::move(key), std::move(value)});
        }
        return fields.size() == pairs.size() ? fields : pairs;
    }
    Json printed(const Array& array, std::int64_t i) const {
        const auto scalar = array.GetScalar(i);
        if (!scalar.ok()) fail(where_ + " has the type " + array.type()->ToString() + ", which is not supported");
        return (*scalar)->ToString();
    }
    const std::string& where_;
};

Json row_of(const arrow::RecordBatch& batch, std::int64_t i, const std::string& place) {
    Json row = Json::object();
    for (int c = 0; c < batch.num_columns(); ++c) {
        const std::string where = place + ": field '" + batch.column_name(c) + "'";
        row[batch.column_name(c)] = Value(where)(*batch.column(c), i);
    }
    return row;
}

}  // namespace

void for_each_parquet_row(const std::filesystem::path& path,
                          const std::function<void(std::int64_t number, const RawRow& raw)>& row) {
    auto file = arrow::io::ReadableFile::Open(path.string());
    if (!file.ok()) fail(path.string() + ": cannot be read (" + file.status().message() + ")", ExitCode::io);
    // Plain malloc and no threads: a rank has its cores for computing, and Arrow's allocators keep what they were given.
    auto reader = taken(parquet::arrow::OpenFile(*file, arrow::system_memory_pool()), path);
    reader->set_use_threads(false);
    reader->set_batch_size(1024);
    auto batches = taken(reader->GetRecordBatchReader(), path);
    std::int64_t number = 0;
    while (const auto batch = taken(batches->Next(), path)) {
        for (std::int64_t i = 0; i < batch->num_rows(); ++i) {
            ++number;
            row(number, [&] { return row_of(*batch, i, path.string() + ":" + std::to_string(number)); });
        }
    }
}

}  // namespace xlrm
