#include "stream/keyed/dead_letters.h"

#include <array>

namespace adbrook::stream {

// Headers as texts, so that any Kafka tool shows them.
void DeadLetters::add(const std::string& topic, const TakenRecord& record,
                      const DeadLetterWhy& why) {
  if (sink_.muted()) return;
  const std::string partition = std::to_string(record.origin_partition);
  const std::string offset = std::to_string(record.offset.value);
  const std::array<record::Header, 6> headers{{
      {"operator", as_bytes(why.operator_name)},
      {"reason", as_bytes(why.reason)},
      {"text", as_bytes(why.text.substr(0, kDeadLetterTextMax))},
      {"topic", as_bytes(topic)},
      {"partition", as_bytes(partition)},
      {"offset", as_bytes(offset)},
  }};
  sink_.add_to(task_partition_, record.record_time, record.key, record.value, headers);
}

void DeadLetters::add_without_record(Timestamp time, const DeadLetterWhy& why) {
  if (sink_.muted()) return;
  const std::array<record::Header, 3> headers{{
      {"operator", as_bytes(why.operator_name)},
      {"reason", as_bytes(why.reason)},
      {"text", as_bytes(why.text.substr(0, kDeadLetterTextMax))},
  }};
  sink_.add_to(task_partition_, time, std::nullopt, std::nullopt, headers);
}

// Both are ascending.
std::span<const std::uint32_t> RowGuard::all_but_threw(std::span<const std::uint32_t> selected) {
  went_through_.clear();
  auto next = threw_.begin();
  for (const std::uint32_t row : selected) {
    if (next != threw_.end() && *next == row)
      ++next;
    else
      went_through_.push_back(row);
  }
  return went_through_;
}

}  // namespace adbrook::stream
