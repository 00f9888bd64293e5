#include "stream/keyed/dead_letters.h"

#include <array>
#include <vector>

namespace adbrook::stream {
namespace {

// The bytes that a letter takes of a field; of more it is told in `note` how much there was.
std::optional<ByteView> cut(const std::optional<ByteView>& field, std::string& note) {
  if (!field || field->size() <= kDeadLetterBytesMax) return field;
  note = std::to_string(field->size());
  return field->first(kDeadLetterBytesMax);
}

}  // namespace

// Headers as texts, so that any Kafka tool shows them.
void DeadLetters::add(const std::string& topic, const TakenRecord& record,
                      const DeadLetterWhy& why) {
  if (sink_.muted()) return;
  const std::string partition = std::to_string(record.origin_partition);
  const std::string offset = std::to_string(record.offset.value);
  std::vector<record::Header> headers{
      {"operator", as_bytes(why.operator_name)},
      {"reason", as_bytes(why.reason)},
      {"text", as_bytes(why.text.substr(0, kDeadLetterTextMax))},
      {"topic", as_bytes(topic)},
      {"partition", as_bytes(partition)},
      {"offset", as_bytes(offset)},
  };
  std::string key_size, value_size;
  const auto key = cut(record.key, key_size);
  const auto value = cut(record.value, value_size);
  if (!key_size.empty()) headers.push_back({"key-size", as_bytes(key_size)});
  if (!value_size.empty()) headers.push_back({"value-size", as_bytes(value_size)});
  sink_.add_to(task_partition_, record.record_time, key, value, headers);
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
