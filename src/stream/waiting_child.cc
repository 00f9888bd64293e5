#include "stream/waiting_child.h"

#include "base/assert.h"

namespace adbrook::stream {

namespace {
// input u16, origin partition i32, origin offset, append time, record time (i64 each), key size i32
// (-1: none), then key and value.
constexpr std::size_t kChildHeadSize = 2 + 4 + 3 * 8 + 4;
}  // namespace

void encode_waiting_child(const RowMeta& meta, Buffer& to) {
  to.clear();
  append_le<std::uint16_t>(to, meta.arrival.input);
  append_le<std::int32_t>(to, meta.arrival.origin_partition);
  append_le<std::int64_t>(to, meta.origin_offset.value);
  append_le<std::int64_t>(to, meta.append_time.ms);
  append_le<std::int64_t>(to, meta.record_time.ms);
  append_le<std::int32_t>(to, meta.key ? static_cast<std::int32_t>(meta.key->size()) : -1);
  if (meta.key) append(to, *meta.key);
  append(to, meta.value);
}

// Views only: the child is judged before the store lets go of the bytes.
WaitingChild decode_waiting_child(ByteView from) {
  ADBROOK_ASSERT(from.size() >= kChildHeadSize, "a waiting child has its head");
  WaitingChild child{};
  const std::byte* head = from.data();
  child.meta.arrival = {load_le<std::uint16_t>(head), load_le<std::int32_t>(head + 2)};
  child.meta.origin_offset = {load_le<std::int64_t>(head + 6)};
  child.meta.append_time = {load_le<std::int64_t>(head + 14)};
  child.meta.record_time = {load_le<std::int64_t>(head + 22)};
  const auto key_size = load_le<std::int32_t>(head + 30);
  ByteView rest = from.subspan(kChildHeadSize);
  if (key_size >= 0) {
    ADBROOK_ASSERT(static_cast<std::size_t>(key_size) <= rest.size(), "a waiting child is whole");
    child.meta.key = rest.first(static_cast<std::size_t>(key_size));
    rest = rest.subspan(static_cast<std::size_t>(key_size));
  }
  child.meta.value = rest;
  child.record.offset = child.meta.origin_offset;
  child.record.timestamp = child.meta.record_time;
  child.record.key = child.meta.key;
  child.record.value = rest;
  return child;
}

}  // namespace adbrook::stream
