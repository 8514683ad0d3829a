// What a model folder holds and does: tokenize and render (JSON lines in and out), forward (a states file), model (a summary).
#include <cstdio>

#include "xlrm/comm/run_job.hpp"
#include "xlrm/infer/inspect.hpp"
#include "xlrm/model/inspect.hpp"
#include "xlrm/ops/device.hpp"
#include "xlrm/text/chat_template.hpp"
#include "xlrm/text/inspect.hpp"

namespace {

struct Choice {
    std::vector<std::string> command;
    std::string model, input, output, dtype = "fp32", pooling = "auto", chat_template = "auto", date = "26 Jul 2024";
    at::Device device = at::kCPU;
    bool decode = false, special = true;
};

void describe(xlrm::Options& options, Choice& choice) {
    options.positional(&choice.command, "tokenize | render | forward | model DIR")
        .section("inspect")
        .add("model", &choice.model, "DIR", "model folder")
        .add("input", &choice.input, "FILE", "JSON lines, .gz too")
        .add("output", &choice.output, "FILE", "forward: states.h5")
        .add_choice("dtype", &choice.dtype, {"fp32", "bf16", "fp64"}, "forward: number format of the computation")
        .add_choice("pooling", &choice.pooling, {"auto", "last", "hf", "first_pad"},
                    "forward: token that a reward head reads; auto: as the folder says, else last. Give hf to compare with "
                    "transformers on "
                    "texts that end in pad tokens, first_pad with its older releases and open-instruct");
    describe_device(options, &choice.device);
    options.add("decode", &choice.decode, "tokenize: ids to text")
        .add("special", &choice.special, "tokenize: add what the tokenizer's post-processor adds (BOS, EOS)")
        .add("template", &choice.chat_template, "NAME", "render: " + xlrm::template_help())
        .add("template-date", &choice.date, "DATE", std::string("render: ") + xlrm::kTemplateDateHelp);
}

//! An option of another command is refused: it would change nothing.
void check_given(const xlrm::Options& options, const Choice& choice) {
    const std::string command = choice.command.empty() ? "" : choice.command.front();
    for (const auto& [name, owner] : {std::pair{"decode", "tokenize"},
                                      {"special", "tokenize"},
                                      {"template", "render"},
                                      {"template-date", "render"},
                                      {"output", "forward"},
                                      {"dtype", "forward"},
                                      {"device", "forward"}}) {
        if (options.given(std::string("inspect.") + name) && command != owner) {
            xlrm::fail(std::string("--") + name + " belongs to " + owner + ", so it would change nothing here; leave it out",
                       xlrm::ExitCode::usage);
        }
    }
}

void inspect(const Choice& choice) {
    using xlrm::ExitCode;
    const std::string command = choice.command.empty() ? "" : choice.command.front();
    const auto print = [](const std::string& line) { std::printf("%s\n", line.c_str()); };
    if (command == "model") {
        const std::string folder = choice.command.size() == 2 ? choice.command[1] : choice.model;
        xlrm::require(!folder.empty(), "the model folder is not given: xlrm_inspect model DIR", ExitCode::usage);
        std::fputs(xlrm::inspect_model(folder).c_str(), stdout);
        return;
    }
    xlrm::require(choice.command.size() == 1, "a command is expected: tokenize, render, forward or model DIR", ExitCode::usage);
    xlrm::require(!choice.model.empty(), "--model is not given; name the model folder", ExitCode::usage);
    xlrm::require(!choice.input.empty(), "--input is not given; name the JSON lines to read", ExitCode::usage);
    if (command == "tokenize") {
        xlrm::inspect_tokenize(*xlrm::load_tokenizer(choice.model), choice.input, choice.decode, choice.special, print);
    } else if (command == "render") {
        const auto chat = xlrm::load_chat_template(choice.chat_template, choice.model, choice.date);
        std::fputs(chat->describe().c_str(), stderr);  // standard output has the lines alone
        xlrm::inspect_render(*chat, choice.input, print);
    } else if (command == "forward") {
        xlrm::require(!choice.output.empty(), "--output is not given; name the file for the states (states.h5)", ExitCode::usage);
        xlrm::inspect_forward(choice.model, choice.input, choice.output, xlrm::parse_dtype(choice.dtype), choice.pooling,
                              choice.device);
    } else {
        xlrm::fail("command '" + command + "' is not known: tokenize, render, forward or model", ExitCode::usage);
    }
}

}  // namespace

int main(int argc, char** argv) {
    Choice choice;
    xlrm::Options options("xlrm_inspect", "Shows what a model folder holds, and what it does to text.");
    describe(options, choice);
    return xlrm::run_local(argc, argv, std::move(options), [&](const xlrm::Options& given) {
        check_given(given, choice);
        inspect(choice);
        return xlrm::ExitCode::done;
    });
}
