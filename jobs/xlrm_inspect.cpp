// What a model folder does to text: tokenize and render; JSON lines in, JSON lines out.
#include <cstdio>

#include "xlrm/comm/run_job.hpp"
#include "xlrm/text/inspect.hpp"

namespace {

struct Choice {
    std::vector<std::string> command;
    std::string model, input, chat_template = "auto", date = "26 Jul 2024";
    bool decode = false, special = true;
};

void describe(xlrm::Options& options, Choice& choice) {
    options.positional(&choice.command, "tokenize | render")
        .section("inspect")
        .add("model", &choice.model, "DIR", "model folder")
        .add("input", &choice.input, "FILE", "JSON lines, .gz too")
        .add("decode", &choice.decode, "tokenize: ids to text")
        .add("special", &choice.special, "tokenize: add what the tokenizer's post-processor adds (BOS, EOS)")
        .add("template", &choice.chat_template, "NAME", "render: auto, none or a name")
        .add("template-date", &choice.date, "DATE", "render: what Llama-3.x templates write as today");
}

void inspect(const Choice& choice) {
    xlrm::require(choice.command.size() == 1, "a command is expected: tokenize or render", xlrm::ExitCode::usage);
    xlrm::require(!choice.model.empty() && !choice.input.empty(), "--model and --input are needed", xlrm::ExitCode::usage);
    const auto print = [](const std::string& line) { std::printf("%s\n", line.c_str()); };
    const std::string& command = choice.command.front();
    if (command == "tokenize") {
        xlrm::inspect_tokenize(*xlrm::load_tokenizer(choice.model), choice.input, choice.decode, choice.special, print);
    } else if (command == "render") {
        xlrm::inspect_render(*xlrm::load_chat_template(choice.chat_template, choice.model, choice.date), choice.input, print);
    } else {
        xlrm::fail("command '" + command + "' is not known: tokenize or render", xlrm::ExitCode::usage);
    }
}

}  // namespace

int main(int argc, char** argv) {
    Choice choice;
    xlrm::Options options("xlrm_inspect", "Shows what a model folder does to text.");
    describe(options, choice);
    return xlrm::run_job(argc, argv, std::move(options), [&](const xlrm::Communicator& comm, const xlrm::Options&) {
        if (comm.root()) inspect(choice);
        return xlrm::ExitCode::done;
    });
}
