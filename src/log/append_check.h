// What an append must obey before it may wait for the disk: everything that can be said of it
// without knowing what stands before it in the log.
#pragma once

#include <cstddef>
#include <expected>

#include "log/append_queue.h"
#include "log/log_state.h"

namespace adbrook::log {

// Takes the append apart on its caller's thread, so that the writer only moves bytes.
// `entry_size_max`: what one write-ahead entry may have. `now`: what clients' times are held
// against.
std::expected<QueuedAppend, AppendRefusal> check_append(Append what, const LogState& state,
                                                        std::size_t entry_size_max, Timestamp now);

}  // namespace adbrook::log
