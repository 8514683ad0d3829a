#include "xlrm/store/safetensors.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <sstream>

#include "support/expect_error.hpp"
#include "support/full_disk.hpp"
#include "support/temporary_folder.hpp"

namespace xlrm {
namespace {

const std::filesystem::path kFixtures = std::filesystem::path(XLRM_SOURCE_DIR) / "tests/fixtures/store";

template <class T>
std::vector<T> values(const TensorView& view) {
    std::vector<T> result(view.bytes.size() / sizeof(T));
    std::memcpy(result.data(), view.bytes.data(), view.bytes.size());
    return result;
}

std::string slurp(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

//! A file with this header, blank-padded, and this many bytes of data.
std::filesystem::path craft(const TemporaryFolder& folder, const std::string& header, std::size_t data_bytes) {
    const std::filesystem::path path = folder / "crafted.safetensors";
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    const std::uint64_t length = header.size();
    out.write(reinterpret_cast<const char*>(&length), sizeof length);
    out << header << std::string(data_bytes, '\1');
    return path;
}

void expect_refused(const std::string& header, std::size_t data_bytes, const std::vector<std::string>& parts) {
    const TemporaryFolder folder;
    const std::filesystem::path path = craft(folder, header, data_bytes);
    std::vector<std::string> all = parts;
    all.push_back("crafted.safetensors");
    expect_error([&] { const SafetensorsFile file(path); }, all);
}

TEST(Safetensors, ReadsWhatTheReferenceLibraryWrote) {
    const SafetensorsFile file(kFixtures / "python.safetensors");
    EXPECT_EQ(file.names(), (std::vector<std::string>{"embed.weight", "empty", "ids", "layer.0.half", "layer.0.norm", "wide"}));
    EXPECT_EQ(file.metadata().at("format"), "pt");
    const TensorView embed = file.tensor("embed.weight");
    EXPECT_EQ(embed.dtype, DType::f32);
    EXPECT_EQ(embed.shape, (std::vector<std::int64_t>{2, 3}));
    EXPECT_EQ(values<float>(embed),
              (std::vector<float>{0.5F, -1.25F, 3.0F, std::numeric_limits<float>::infinity(), 1e-40F, -0.0F}));
    EXPECT_EQ(values<double>(file.tensor("wide")), (std::vector<double>{1.0, -2.5, 1e-300}));
    const auto norm = values<std::uint16_t>(file.tensor("layer.0.norm"));
    EXPECT_EQ(norm, (std::vector<std::uint16_t>{to_bf16(1.0F), to_bf16(1.0F / 3.0F), to_bf16(-7.0F), to_bf16(65280.0F)}));
    const auto half = values<std::uint16_t>(file.tensor("layer.0.half"));
    EXPECT_EQ(half, (std::vector<std::uint16_t>{to_f16(1.0F), to_f16(1.0F / 3.0F), to_f16(6e-8F)}));
    EXPECT_EQ(file.tensor("empty").elements(), 0);
    expect_error([&] { file.tensor("ids"); }, {"python.safetensors", "'ids'", "I64"});
    expect_error([&] { file.tensor("absent"); }, {"python.safetensors", "'absent'"});
    EXPECT_TRUE(file.contains("ids"));
    EXPECT_FALSE(file.contains("absent"));
}

//! Equality with the library's own bytes says that it opens what xlrm writes.
TEST(Safetensors, WritesTheBytesOfTheReferenceLibrary) {
    const SafetensorsFile original(kFixtures / "python_float.safetensors");
    std::vector<TensorOut> tensors;
    for (const char* name : {"wide", "embed.weight", "empty", "layer.0.norm", "layer.0.half"}) {
        const TensorView view = original.tensor(name);
        tensors.push_back({name, view.dtype, view.shape, view.bytes});
    }
    const TemporaryFolder folder;
    write_safetensors(folder / "ours.safetensors", tensors);
    EXPECT_EQ(slurp(folder / "ours.safetensors"), slurp(kFixtures / "python_float.safetensors"));
    SafetensorsFile read(folder / "ours.safetensors");
    const SafetensorsFile moved(std::move(read));
    EXPECT_EQ(values<double>(moved.tensor("wide")), values<double>(original.tensor("wide")));
}

TEST(Safetensors, RefusesTensorsThatTheWriterCannotMean) {
    const TemporaryFolder folder;
    const std::vector<std::byte> bytes(8);
    const TensorOut a{"a", DType::f32, {2}, bytes};
    expect_error([&] { write_safetensors(folder / "x.safetensors", {a, a}); }, {"x.safetensors", "'a'", "twice"});
    expect_error(
        [&] {
            write_safetensors(folder / "x.safetensors", {{"a", DType::f32, {3}, bytes}});
        },
        {"x.safetensors", "'a'", "8 bytes"});
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

//! Names of a file with this header and `data_bytes` bytes of data.
std::vector<std::string> taken(const std::string& header, std::size_t data_bytes) {
    const TemporaryFolder folder;
    return SafetensorsFile(craft(folder, header, data_bytes)).names();
}

//! Which headers safe_open of safetensors 0.8.0 takes, as it said when it was asked for each.
TEST(Safetensors, TakesTheHeadersThatTheReferenceLibraryTakes) {
    const std::string a = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
    const std::vector<std::string> only_a = {"a"};
    EXPECT_EQ(taken("{" + a + "}  \n", 8), only_a);
    EXPECT_EQ(taken(" {" + a + "}", 8), only_a);
    EXPECT_EQ(taken(R"({"__metadata__":null,)" + a + "}", 8), only_a);
    EXPECT_EQ(taken("{" + a + R"(,"__metadata__":{"x":"1","x":"2"}})", 8), only_a);
    EXPECT_EQ(taken(R"({"a":{"note":{"y":[1,{"z":[[]]}]},"dtype":"F32","shape":[2],"data_offsets":[0,8],"note":2}})", 8), only_a);
    EXPECT_EQ(taken(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":)" + std::string(125, '[') +
                        std::string(125, ']') + "}}",
                    8),
              only_a);
    EXPECT_EQ(taken(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)" + a + "}", 8), only_a);
    EXPECT_EQ(taken(R"({"":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8), std::vector<std::string>{""});
    EXPECT_EQ(
        taken(
            "{" + a +
                R"(,"b":{"dtype":"F32","shape":[0,5],"data_offsets":[0,0]},"c":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}})",
            8),
        (std::vector<std::string>{"a", "b", "c"}));
    EXPECT_EQ(taken("{}", 0), std::vector<std::string>{});
}

//! A type that weights cannot have is no fault of the file: it is refused where the tensor is asked for.
TEST(Safetensors, ListsTensorsOfEveryTypeOfTheReferenceLibrary) {
    const std::pair<const char*, int> types[] = {{"BOOL", 8},        {"F4", 16},     {"U8", 8},      {"I8", 8},
                                                 {"F8_E5M2", 8},     {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8},
                                                 {"F8_E5M2FNUZ", 8}, {"I16", 4},     {"U16", 4},     {"I32", 2},
                                                 {"U32", 2},         {"C64", 1},     {"I64", 1},     {"U64", 1}};
    for (const auto& [type, elements] : types) {
        const TemporaryFolder folder;
        const std::string header = std::string(R"({"a":{"dtype":")") + type + R"(","shape":[)" + std::to_string(elements) +
                                   R"(],"data_offsets":[0,8]}})";
        const SafetensorsFile file(craft(folder, header, 8));
        EXPECT_EQ(file.names(), std::vector<std::string>{"a"}) << type;
        const std::string message =
            expect_error([&] { file.tensor("a"); }, {"crafted.safetensors", "'a'", std::string("type ") + type, "in order"});
        EXPECT_EQ(message.find("download"), std::string::npos) << message;
    }
    EXPECT_EQ(taken(R"({"a":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[0,3]}})", 3), std::vector<std::string>{"a"});
    for (const char* type : {"F6_E2M3", "F6_E3M2", "F4"})
        expect_refused(std::string(R"({"a":{"dtype":")") + type + R"(","shape":[3],"data_offsets":[0,2]}})", 2,
                       {"'a'", "whole byte"});
    for (const char* type : {"FOO", "f32", "I4", "C128", "F8_E3M4"}) {
        const TemporaryFolder folder;
        const auto path = craft(folder, std::string(R"({"a":{"dtype":")") + type + R"(","shape":[8],"data_offsets":[0,8]}})", 8);
        const std::string message =
            expect_error([&] { const SafetensorsFile file(path); }, {"crafted.safetensors", "'a'", type, "safetensors 0.8.0"});
        EXPECT_EQ(message.find("download"), std::string::npos) << message;
    }
}

TEST(Safetensors, AnEmptyTensorOfHugeOtherExtentsHasNoElements) {
    const TemporaryFolder folder;
    const SafetensorsFile file(
        craft(folder, R"({"a":{"dtype":"F32","shape":[0,9223372036854775807,4],"data_offsets":[0,0]}})", 0));
    EXPECT_EQ(file.tensor("a").elements(), 0);
}

TEST(Safetensors, ReadsPartsOfATensor) {
    const SafetensorsFile file(kFixtures / "python.safetensors");
    std::vector<float> part(2);
    file.read("embed.weight", 4, std::as_writable_bytes(std::span(part)));
    EXPECT_EQ(part, (std::vector<float>{-1.25F, 3.0F}));
    std::vector<double> wide(3);
    file.read("wide", 0, std::as_writable_bytes(std::span(wide)));
    EXPECT_EQ(wide, (std::vector<double>{1.0, -2.5, 1e-300}));
    expect_error([&] { file.read("ids", 0, std::as_writable_bytes(std::span(wide))); }, {"python.safetensors", "'ids'", "I64"});
}

TEST(Safetensors, AFileThatShrinksWhileItIsReadIsNamed) {
    const TemporaryFolder folder;
    const auto path = craft(folder, R"({"a":{"dtype":"F32","shape":[65536],"data_offsets":[0,262144]}})", 262144);
    const SafetensorsFile file(path);
    std::filesystem::resize_file(path, 100);
    std::vector<float> values(65536);
    expect_error([&] { file.read("a", 0, std::as_writable_bytes(std::span(values))); }, {"crafted.safetensors", "shorter"});
}

TEST(Safetensors, APointerOfGitLfsIsNamedAsSuch) {
    const TemporaryFolder folder;
    std::ofstream(folder / "model.safetensors") << "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    expect_error([&] { const SafetensorsFile file(folder / "model.safetensors"); },
                 {"model.safetensors", "Git LFS", "git lfs pull"});
}

TEST(Safetensors, RefusesInconsistentHeaders) {
    const std::string a = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
    expect_refused("{" + a + R"(,"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 12, {"'b'", "overlaps"});
    expect_refused("{" + a + R"(,"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}})", 16, {"'b'", "gap"});
    expect_refused("{" + a + "}", 4, {"'a'", "truncated"});
    expect_refused("{" + a + "}", 12, {"4 bytes after the last tensor"});
    expect_refused(
        R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8,
        {"'a'", "gap"});
    expect_refused(R"({"__metadata__":null,"__metadata__":null})", 0, {"'__metadata__'", "twice"});
    expect_refused("{" + a + "}" + std::string(2, '\0'), 8, {"NUL"});
    expect_refused("\xEF\xBB\xBF{" + a + "}", 8, {"byte order mark"});
    expect_refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1e400}})", 8, {"broken header"});
    expect_refused(
        R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":)" + std::string(126, '[') + std::string(126, ']') + "}}", 8,
        {"nested"});
    expect_refused(R"({"a":{"dtype":"F32","dtype":"F16","shape":[2],"data_offsets":[0,8]}})", 8, {"'dtype'", "twice"});
    expect_refused(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8, {"'a'", "need 12 bytes", "give 8"});
    expect_refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8, {"'a'", "backwards"});
    expect_refused(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8, {"'a'", "-2"});
    expect_refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}})", 8, {"'a'", "-8"});
    expect_refused(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})", 8, {"'a'", "too large"});
    expect_refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,18446744073709551615]}})", 8,
                   {"'a'", "18446744073709551615"});
    expect_refused(R"({"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}})", 8, {"'a'", "2.5"});
    expect_refused(R"({"a":{"shape":[2],"data_offsets":[0,8]}})", 8, {"'a'", "dtype"});
    expect_refused(R"({"a":[1,2]})", 8, {"'a'"});
    expect_refused(R"({"__metadata__":{"format":3}})", 0, {"'format'"});
    expect_refused("{" + a, 8, {"broken header"});
    expect_refused("[1]", 0, {"not an object"});
    expect_refused("{\"a\":" + std::string(1'000'000, '[') + std::string(1'000'000, ']') + "}", 0, {"nested"});
}

TEST(Safetensors, RefusesHeadersLongerThanTheFileOrTheBound) {
    const TemporaryFolder folder;
    const auto write = [&](std::uint64_t length, std::size_t size) {
        const std::filesystem::path path = folder / "long.safetensors";
        {
            std::ofstream out(path, std::ios::binary | std::ios::trunc);
            out.write(reinterpret_cast<const char*>(&length), sizeof length);
        }
        std::filesystem::resize_file(path, size);
        return path;
    };
    expect_error([&] { const SafetensorsFile file(write(1000, 500)); }, {"long.safetensors", "1000 bytes"});
    expect_error([&] { const SafetensorsFile file(write(~std::uint64_t{0}, 64)); }, {"long.safetensors", "header"});
    expect_error([&] { const SafetensorsFile file(write(100'000'001, 100'000'100)); }, {"long.safetensors", "100 MB"});
    expect_error([&] { const SafetensorsFile file(write(0, 4)); }, {"long.safetensors"});
    expect_error([&] { const SafetensorsFile file(write(0, 8)); }, {"long.safetensors"});
    expect_error([&] { const SafetensorsFile file(folder / "none.safetensors"); }, {"none.safetensors", "No such file"});
    expect_error([&] { const SafetensorsFile file(folder.path()); }, {"not a safetensors file"});
}

//! No prefix of a valid file is read, and no changed byte of the header goes unnoticed or crashes.
TEST(Safetensors, RefusesEveryTruncation) {
    const TemporaryFolder folder;
    const std::string whole = slurp(kFixtures / "python.safetensors");
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const std::filesystem::path path = folder / "cut.safetensors";
        std::ofstream(path, std::ios::binary | std::ios::trunc) << whole.substr(0, size);
        expect_error([&] { const SafetensorsFile file(path); }, {"cut.safetensors"});
    }
}

TEST(Safetensors, FlippedHeaderBitsNeverReachOutsideTheFile) {
    const TemporaryFolder folder;
    const std::string whole = slurp(kFixtures / "python.safetensors");
    std::uint64_t length = 0;
    std::memcpy(&length, whole.data(), sizeof length);
    int refused = 0;
    for (std::size_t bit = 0; bit < (8 + length) * 8; bit += 7) {  // every byte, and each of its bits in turn
        std::string flipped = whole;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
        const std::filesystem::path path = folder / "flipped.safetensors";
        std::ofstream(path, std::ios::binary | std::ios::trunc) << flipped;
        try {
            const SafetensorsFile file(path);
            for (const std::string& name : file.names()) {
                if (name == "ids") continue;
                try {
                    const TensorView view = file.tensor(name);
                    EXPECT_LE(view.bytes.size(), whole.size());
                    EXPECT_EQ(static_cast<std::size_t>(view.elements() * dtype_bytes(view.dtype)), view.bytes.size());
                } catch (const Error&) {  // now an integer type
                }
            }
        } catch (const Error&) {
            ++refused;
        }
    }
    EXPECT_GT(refused, 0);
}

TEST(Safetensors, FullDiskLeavesNothingBehind) {
    const SmallDisk disk(1 << 16);
    if (!disk.mounted()) GTEST_SKIP() << "a small disk can only be mounted by root";
    const std::vector<std::byte> bytes(1 << 20);
    const TensorOut tensor{"a", DType::f32, {1 << 18}, bytes};
    expect_error([&] { write_safetensors(disk.path() / "model.safetensors", {tensor}); }, {"model.safetensors", "No space left"});
    EXPECT_TRUE(std::filesystem::is_empty(disk.path()));
}

}  // namespace
}  // namespace xlrm
