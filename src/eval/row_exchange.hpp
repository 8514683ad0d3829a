#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/eval/row_spool.hpp"
#include "xlrm/store/items.hpp"

namespace xlrm {

//! On the root: the rows of all ranks' answers, asked for as they are needed. A rank has those of a block of the items
//! (block_range), and sends none that the root has not asked it for.
class RowsOfAll {
public:
    //! `mine`: the root's own. All are used later on, so they must live as long.
    RowsOfAll(const Communicator& group, const ItemSet& set, const RowSpool& mine) : group_(group), set_(set), mine_(mine) {}

    const RowSpool& layout() const { return mine_; }
    //! Rows of the answers of the items from `first_item` on, one of each item. Throws the Error of a rank that cannot give its
    //! rows, with the rank named.
    void read(std::size_t part, std::int64_t first_item, std::span<const std::int64_t> answers, std::span<std::byte> out) const;

private:
    struct Share;
    Share share_of(int rank, std::int64_t first_item, std::span<const std::int64_t> answers) const;
    const Communicator& group_;
    const ItemSet& set_;
    const RowSpool& mine_;
};

//! Collective. Runs `work` on the root, while the other ranks wait without spinning and give it their rows. When it throws, or a
//! rank cannot give its rows, all throw that error, marked as agreed.
void with_rows_of_all(const Communicator& group, const ItemSet& set, const RowSpool& mine,
                      const std::function<void(const RowsOfAll&)>& work);

}  // namespace xlrm
