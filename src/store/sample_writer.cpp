#include <algorithm>
#include <fstream>

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json_line.hpp"
#include "xlrm/store/samples_file.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

bool is_number(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// All parts that processes have left, in the order of their names.
std::vector<fs::path> parts_of(const fs::path& output) {
    const std::string beginning = output.filename().string() + ".part";
    const fs::path folder = output.parent_path().empty() ? fs::path(".") : output.parent_path();
    std::vector<fs::path> parts;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator(); entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (name.starts_with(beginning) && is_number(std::string_view(name).substr(beginning.size())))
            parts.push_back(entry->path());
    }
    std::ranges::sort(parts);
    return parts;
}

std::string name_of(const PromptKey& key, std::int32_t sample) {
    return "sample " + std::to_string(sample) + " of '" + key.id + "' (" + key.lang + ", occurrence " +
           std::to_string(key.occurrence) + ")";
}

}  // namespace

SampleWriter::SampleWriter(fs::path output, std::string identity, std::vector<PromptKey> prompts, std::int32_t samples_per_prompt,
                           int process)
    : output_(std::move(output)),
      identity_(std::move(identity)),
      prompts_(std::move(prompts)),
      samples_per_prompt_(samples_per_prompt),
      process_(process) {
    require(samples_per_prompt > 0, "--samples must be 1 or more", ExitCode::usage);
    for (std::size_t i = 0; i < prompts_.size(); ++i) {
        if (!by_key_.emplace(prompts_[i], i).second)
            fail("prompt '" + prompts_[i].id + "' (" + prompts_[i].lang + ", occurrence " +
                 std::to_string(prompts_[i].occurrence) + ") is there twice, so its samples could not be told apart");
    }
    read_parts();
}

std::size_t SampleWriter::index(std::size_t prompt, std::int32_t sample) const {
    return prompt * static_cast<std::size_t>(samples_per_prompt_) + static_cast<std::size_t>(sample);
}

std::size_t SampleWriter::place_of(const Sample& sample, const std::string& where) const {
    const auto prompt = by_key_.find(sample.prompt_key);
    if (prompt == by_key_.end() || sample.sample < 0 || sample.sample >= samples_per_prompt_)
        fail(where + ": " + name_of(sample.prompt_key, sample.sample) + " is none of this run's " +
             std::to_string(prompts_.size()) + " prompts with " + std::to_string(samples_per_prompt_) + " samples each");
    return index(prompt->second, sample.sample);
}

fs::path SampleWriter::part_path() const { return output_.string() + ".part" + std::to_string(process_); }

std::string SampleWriter::header() const { return dump_line(Json{{"samples_of", identity_}}); }

void SampleWriter::read_parts() {
    places_.assign(prompts_.size() * static_cast<std::size_t>(samples_per_prompt_), {});
    count_ = dropped_ = 0;
    parts_ = parts_of(output_);
    for (const fs::path& path : parts_) read_part(path);
}

// A line that is no whole sample was torn by a kill, and closed by the writer that came after.
void SampleWriter::read_part(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    require(file.is_open(), "cannot read " + path.string(), ExitCode::io);
    std::string line;
    std::int64_t begin = 0;
    for (bool first = true; std::getline(file, line); first = false) {
        const bool torn = file.eof() || (!first && !Json::accept(line));
        if (torn)
            ++dropped_;
        else if (first)
            require(line == header(),
                    path.string() +
                        ": unfinished samples of another run (of another model, other prompts, options or seed); remove "
                        "the file or choose another --output");
        else
            note(path, line, begin);
        begin += static_cast<std::int64_t>(line.size()) + 1;
    }
    require(!file.bad(), "cannot read " + path.string(), ExitCode::io);
}

void SampleWriter::note(const fs::path& path, const std::string& line, std::int64_t begin) {
    const auto part = static_cast<std::size_t>(std::ranges::find(parts_, path) - parts_.begin());
    Place& place = places_[place_of(parse_sample(line, path.string()), path.string())];
    if (place.length == 0) {
        place = {part, begin, static_cast<std::int64_t>(line.size())};
        ++count_;
    } else if (line_at(place) != line) {
        fail(path.string() + " and " + parts_[place.part].string() + " hold different texts for one sample (" +
             line.substr(0, 80) + " …), so they are of different runs; remove both and start again");
    }
}

std::string SampleWriter::line_at(const Place& place) const {
    std::ifstream file(parts_[place.part], std::ios::binary);
    std::string line(static_cast<std::size_t>(place.length), '\0');
    file.seekg(place.begin);
    file.read(line.data(), place.length);
    if (!file) fail("cannot read " + parts_[place.part].string() + " again: it has changed meanwhile", ExitCode::io);
    return line;
}

void SampleWriter::add(std::span<const Sample> samples) {
    if (samples.empty()) return;
    const fs::path path = part_path();
    std::string lines;
    for (const Sample& sample : samples) {
        place_of(sample, "a new sample");
        lines.append(lines.empty() ? "" : "\n").append(sample_line(sample));
    }
    std::error_code error;
    if (!fs::exists(path, error) || read_beginning(path, header().size() + 1) != header() + "\n")
        write_file_atomic(path, header() + "\n");
    append_line(path, lines);
}

void SampleWriter::finish() {
    read_parts();
    for (std::size_t i = 0; i < places_.size(); ++i) {
        if (places_[i].length > 0) continue;
        const auto samples = static_cast<std::size_t>(samples_per_prompt_);
        fail(output_.string() + ": " + std::to_string(static_cast<std::int64_t>(places_.size()) - count_) + " of " +
             std::to_string(places_.size()) + " samples are missing, the first is " +
             name_of(prompts_[i / samples], static_cast<std::int32_t>(i % samples)));
    }
    write_file_atomic(output_, [&](const fs::path& temporary) {
        std::vector<std::ifstream> files;
        for (const fs::path& part : parts_) files.emplace_back(part, std::ios::binary);
        std::ofstream out(temporary, std::ios::binary);
        std::string line;
        for (const Place& place : places_) {
            line.resize(static_cast<std::size_t>(place.length));
            files[place.part].seekg(place.begin);
            files[place.part].read(line.data(), place.length);
            if (!files[place.part]) fail("cannot read " + parts_[place.part].string(), ExitCode::io);
            out << line << '\n';
        }
        out.flush();
        if (!out) fail("cannot write " + output_.string() + ": is its disk full?", ExitCode::io);
    });
    std::error_code error;
    for (const fs::path& part : parts_) fs::remove(part, error);  // what stays would be complete, and give the same file again
}

}  // namespace xlrm
