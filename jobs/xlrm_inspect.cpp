// What a model folder holds and does: tokenize and render (JSON lines in and out), forward (a states file), model (a summary).
#include <cstdio>

#include "xlrm/comm/run_job.hpp"
#include "xlrm/model/inspect.hpp"
#include "xlrm/text/inspect.hpp"

namespace {

struct Choice {
    std::vector<std::string> command;
    std::string model, input, output, dtype = "fp32", chat_template = "auto", date = "26 Jul 2024";
    bool decode = false, special = true;
};

void describe(xlrm::Options& options, Choice& choice) {
    options.positional(&choice.command, "tokenize | render | forward | model DIR")
        .section("inspect")
        .add("model", &choice.model, "DIR", "model folder")
        .add("input", &choice.input, "FILE", "JSON lines, .gz too")
        .add("output", &choice.output, "FILE", "forward: states.h5")
        .add_choice("dtype", &choice.dtype, {"fp32", "bf16", "fp64"}, "forward: number format of the computation")
        .add("decode", &choice.decode, "tokenize: ids to text")
        .add("special", &choice.special, "tokenize: add what the tokenizer's post-processor adds (BOS, EOS)")
        .add("template", &choice.chat_template, "NAME", "render: auto, none or a name")
        .add("template-date", &choice.date, "DATE", "render: what Llama-3.x templates write as today");
}

void inspect(const Choice& choice) {
    using xlrm::ExitCode;
    const std::string command = choice.command.empty() ? "" : choice.command.front();
    const auto print = [](const std::string& line) { std::printf("%s\n", line.c_str()); };
    if (command == "model") {
        xlrm::require(choice.command.size() == 2 || !choice.model.empty(), "model needs a folder: xlrm_inspect model DIR",
                      ExitCode::usage);
        std::fputs(xlrm::inspect_model(choice.command.size() == 2 ? choice.command[1] : choice.model).c_str(), stdout);
        return;
    }
    xlrm::require(choice.command.size() == 1, "a command is expected: tokenize, render, forward or model DIR", ExitCode::usage);
    xlrm::require(!choice.model.empty() && !choice.input.empty(), "--model and --input are needed", ExitCode::usage);
    if (command == "tokenize") {
        xlrm::inspect_tokenize(*xlrm::load_tokenizer(choice.model), choice.input, choice.decode, choice.special, print);
    } else if (command == "render") {
        xlrm::inspect_render(*xlrm::load_chat_template(choice.chat_template, choice.model, choice.date), choice.input, print);
    } else if (command == "forward") {
        xlrm::require(!choice.output.empty(), "forward needs --output for the states", ExitCode::usage);
        xlrm::inspect_forward(choice.model, choice.input, choice.output, xlrm::parse_dtype(choice.dtype));
    } else {
        xlrm::fail("command '" + command + "' is not known: tokenize, render, forward or model", ExitCode::usage);
    }
}

}  // namespace

int main(int argc, char** argv) {
    Choice choice;
    xlrm::Options options("xlrm_inspect", "Shows what a model folder holds, and what it does to text.");
    describe(options, choice);
    return xlrm::run_local(argc, argv, std::move(options), [&](const xlrm::Options&) {
        inspect(choice);
        return xlrm::ExitCode::done;
    });
}
