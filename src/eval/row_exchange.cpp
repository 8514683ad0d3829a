#include "row_exchange.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/partition.hpp"

namespace xlrm {

namespace {

// A request: the part and the places, as int64; an empty one ends the exchange. A reply: one character and the rows; where the
// character is not kRows, it is an exit code, and a message follows it.
constexpr int kWantedRows = 70;
constexpr int kRowsToRoot = 71;
constexpr char kRows = '\0';
constexpr double kPollMs = 0.05;  // the root's: a reply is on its way

std::string request_of(std::size_t part, std::span<const std::int64_t> places) {
    std::vector<std::int64_t> words = {static_cast<std::int64_t>(part)};
    words.insert(words.end(), places.begin(), places.end());
    return {reinterpret_cast<const char*>(words.data()), words.size() * sizeof(std::int64_t)};
}

std::string reply_to(const std::string& request, const RowSpool& spool) {
    std::vector<std::int64_t> words(request.size() / sizeof(std::int64_t));
    std::memcpy(words.data(), request.data(), request.size());
    const auto part = static_cast<std::size_t>(words.at(0));
    const std::span<const std::int64_t> places = std::span(words).subspan(1);
    std::string reply(1 + places.size() * static_cast<std::size_t>(spool.row_bytes(part)), kRows);
    spool.read(part, places, std::as_writable_bytes(std::span(reply)).subspan(1));
    return reply;
}

//! Gives rows until the root has no more requests. After a problem every request is answered with it.
void serve(const Communicator& group, const RowSpool& spool) {
    Problem problem;
    for (;;) {
        const std::string request = group.receive(kWantedRows).text;
        if (request.empty()) break;
        std::string reply;
        if (!problem) problem = attempt([&] { reply = reply_to(request, spool); });
        if (problem) reply = static_cast<char>(problem.code) + problem.message;
        group.send(reply, 0, kRowsToRoot);
    }
    if (problem) throw Error(problem.message, problem.code);
}

}  // namespace

//! What of a run of items is one rank's.
struct RowsOfAll::Share {
    std::size_t begin = 0;  // in the run
    std::vector<std::int64_t> places;
};

RowsOfAll::Share RowsOfAll::share_of(int rank, std::int64_t first_item, std::span<const std::int64_t> answers) const {
    const Range block = block_range(static_cast<std::int64_t>(set_.items.size()), rank, group_.size());
    const std::int64_t begin = std::max(block.begin, first_item);
    const std::int64_t end = std::min(block.end, first_item + std::ssize(answers));
    Share share{static_cast<std::size_t>(begin - first_item), {}};
    for (std::int64_t item = begin; item < end; ++item)
        share.places.push_back(answers[static_cast<std::size_t>(item - first_item)] -
                               set_.items[static_cast<std::size_t>(block.begin)].first_answer);
    return share;
}

void RowsOfAll::read(std::size_t part, std::int64_t first_item, std::span<const std::int64_t> answers,
                     std::span<std::byte> out) const {
    const auto row_bytes = static_cast<std::size_t>(mine_.row_bytes(part));
    std::vector<Share> shares;
    int expected = 0;
    for (int rank = 0; rank < group_.size(); ++rank) {
        shares.push_back(share_of(rank, first_item, answers));
        if (rank == 0 || shares.back().places.empty()) continue;
        group_.send(request_of(part, shares.back().places), rank, kWantedRows);
        ++expected;
    }
    const auto part_of_out = [&](const Share& share) {
        return share.places.empty() ? out.first(0) : out.subspan(share.begin * row_bytes, share.places.size() * row_bytes);
    };
    Problem problem = attempt([&] { mine_.read(part, shares[0].places, part_of_out(shares[0])); });
    for (; expected > 0; --expected) {  // all of them, so that none is taken for a reply to the next request
        const Communicator::Message reply = group_.receive(kRowsToRoot, kPollMs);
        const std::span<std::byte> rows = part_of_out(shares[static_cast<std::size_t>(reply.from)]);
        if (reply.text.at(0) == kRows && reply.text.size() == 1 + rows.size())
            std::memcpy(rows.data(), reply.text.data() + 1, rows.size());
        else if (!problem)
            problem = {"rank " + std::to_string(reply.from) + ": " + reply.text.substr(1), static_cast<ExitCode>(reply.text[0])};
    }
    if (problem) throw Error(problem.message, problem.code);
}

void with_rows_of_all(const Communicator& group, const ItemSet& set, const RowSpool& mine,
                      const std::function<void(const RowsOfAll&)>& work) {
    const Problem problem = attempt([&] {
        if (group.root())
            work(RowsOfAll(group, set, mine));
        else
            serve(group, mine);
    });
    for (int rank = 1; group.root() && rank < group.size(); ++rank) group.send("", rank, kWantedRows);
    agree_or_throw(group, problem, Wait::sleeping);
}

}  // namespace xlrm
