#pragma once

#include <cstddef>
#include <memory>

namespace xlrm::cpu {

//! `bytes` of memory, aligned to 64 bytes, whatever is in them, for what is read from end to end again and again (packed
//! weights): one after another in huge pages, where the system gives them (transparent_hugepage: always or madvise), since a page
//! of 4 KB stops the processor's reading ahead. Throws std::bad_alloc.
std::shared_ptr<void> huge_memory(std::size_t bytes);

}  // namespace xlrm::cpu
