#include "reference_loop.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"
#include "base/hash.h"

namespace adbrook::bench {
namespace {

constexpr std::uint64_t kSeed = 0x5bd1e9955bd1e995;
constexpr std::int64_t kWithinMs = 30 * 60'000;
constexpr std::uint64_t kCellsMax = 10 * 5 * 12 * 24 * 60;  // of the input, a little more per bound

// No bounds checks: the bytes were checked when they were appended.
struct Cursor {
  const std::byte* at;

  std::int64_t varint() {
    std::uint64_t value = static_cast<std::uint64_t>(*at++);
    if (value >= 0x80) [[unlikely]] {
      value &= 0x7f;
      for (int shift = 7;; shift += 7) {
        const auto byte = static_cast<std::uint64_t>(*at++);
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80) break;
      }
    }
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
  }
  Uuid uuid() {
    const Uuid id{load_be<std::uint64_t>(at), load_be<std::uint64_t>(at + 8)};
    at += 16;
    return id;
  }
  std::string_view text() {
    const std::int64_t size = varint();
    const std::string_view view(reinterpret_cast<const char*>(at), static_cast<std::size_t>(size));
    at += size;
    return view;
  }
  std::string_view optional_text() { return varint() != 0 ? text() : std::string_view(); }
  void optional_double() {
    if (varint() != 0) at += 8;
  }
};

std::uint32_t country_code(std::string_view country) {
  if (country.size() != 2) return 0;
  return static_cast<std::uint32_t>(static_cast<unsigned char>(country[0])) << 8 |
         static_cast<unsigned char>(country[1]);
}

// Calls `each` with a cursor at every value behind its schema header.
template <class Each>
void for_each_value(ByteView batch, Each each) {
  const auto count = load_be<std::int32_t>(batch.data() + 57);
  Cursor cursor{batch.data() + 61};
  for (std::int32_t i = 0; i < count; ++i) {
    const std::int64_t size = cursor.varint();
    const std::byte* end = cursor.at + size;
    ++cursor.at;  // attributes
    cursor.varint();
    cursor.varint();
    const std::int64_t key_size = cursor.varint();
    cursor.at += key_size > 0 ? key_size : 0;
    cursor.varint();
    cursor.at += 5;
    each(cursor);
    cursor.at = end;
  }
}

}  // namespace

ReferenceLoop::ReferenceLoop(std::uint64_t event_count)
    : seen_impressions_(std::bit_ceil(event_count + event_count / 2)),
      seen_clicks_(std::bit_ceil(event_count / 16 + 1024)),
      rows_(event_count + 1),
      cells_(std::bit_ceil(std::min(event_count, kCellsMax) * 2 + 1024)) {}

std::size_t ReferenceLoop::home_of(const HugeTable<Slot>& table, Uuid id) {
  return seeded_hash(id, kSeed) & (table.size() - 1);
}

ReferenceLoop::Slot& ReferenceLoop::seen(HugeTable<Slot>& table, Uuid id, std::size_t home) {
  const std::size_t mask = table.size() - 1;
  std::size_t at = home;
  while (table[at].row != 0 && table[at].id != id) at = (at + 1) & mask;
  return table[at];
}

std::uint64_t ReferenceLoop::cell_key(const Row& row, std::int64_t time) {
  const std::uint64_t minute = static_cast<std::uint64_t>(time) / 60'000;
  return (minute << 36) ^ (std::uint64_t{row.campaign} << 26) ^
         (std::uint64_t{row.publisher} << 16) ^ row.country ^ (1ull << 63);
}

std::size_t ReferenceLoop::home_of_cell(std::uint64_t key) const {
  return (key * 0x9E3779B97F4A7C15ull) >> 20 & (cells_.size() - 1);
}

ReferenceLoop::Cell& ReferenceLoop::cell(std::uint64_t key, std::size_t home) {
  const std::size_t mask = cells_.size() - 1;
  std::size_t at = home;
  while (cells_[at].key != 0 && cells_[at].key != key) at = (at + 1) & mask;
  if (cells_[at].key == 0) {
    cells_[at].key = key;
    ++cell_count_;
    ADBROOK_ASSERT(cell_count_ < cells_.size(), "the loop's tables are sized for its events");
  }
  return cells_[at];
}

void ReferenceLoop::impressions(ByteView batch) {
  decoded_.clear();
  for_each_value(batch, [&](Cursor& in) {
    Decoded event{.id = in.uuid()};
    event.row.time = in.varint();
    event.row.campaign = static_cast<std::uint32_t>(in.varint());
    event.row.publisher = static_cast<std::uint32_t>(in.varint());
    for (int i = 0; i < 5; ++i) in.optional_text();  // creative, placement, user, ip, city
    event.row.country = country_code(in.optional_text());
    for (int i = 0; i < 3; ++i) in.optional_text();  // browser, platform, its version
    in.optional_double();
    in.optional_double();
    event.price = static_cast<std::uint64_t>(in.varint() != 0 ? in.varint() : 0);
    event.home = home_of(seen_impressions_, event.id);
    __builtin_prefetch(&seen_impressions_[event.home], 1);
    event.other_home = home_of_cell(cell_key(event.row, event.row.time));
    __builtin_prefetch(&cells_[event.other_home], 1);
    decoded_.push_back(event);
  });
  for (const Decoded& event : decoded_) count(event);
}

void ReferenceLoop::count(const Decoded& event) {
  ++totals_.impressions;
  Slot& slot = seen(seen_impressions_, event.id, event.home);
  if (slot.row != 0) {
    ++totals_.duplicate_impressions;
    return;
  }
  rows_[row_count_] = event.row;
  slot = {event.id, ++row_count_};
  Cell& counted = cell(cell_key(event.row, event.row.time), event.other_home);
  ++counted.impressions;
  counted.spend_micros += event.price;
  totals_.spend_micros += event.price;
}

void ReferenceLoop::clicks(ByteView batch) {
  decoded_.clear();
  for_each_value(batch, [&](Cursor& in) {
    Decoded event{.id = in.uuid()};
    event.row.time = in.varint();
    in.varint();
    in.varint();
    event.linked = in.varint() != 0;
    if (event.linked) event.impression = in.uuid();
    event.home = home_of(seen_clicks_, event.id);
    event.other_home = home_of(seen_impressions_, event.impression);
    __builtin_prefetch(&seen_clicks_[event.home], 1);
    __builtin_prefetch(&seen_impressions_[event.other_home]);
    decoded_.push_back(event);
  });
  for (const Decoded& event : decoded_) join(event);
}

void ReferenceLoop::join(const Decoded& event) {
  ++totals_.clicks;
  Slot& slot = seen(seen_clicks_, event.id, event.home);
  if (slot.row != 0) {
    ++totals_.duplicate_clicks;
    return;
  }
  slot = {event.id, 1};
  if (!event.linked) {
    ++totals_.unlinked;
    return;
  }
  const Slot& found = seen(seen_impressions_, event.impression, event.other_home);
  if (found.row == 0) return;
  const Row& row = rows_[found.row - 1];
  const std::int64_t delay = event.row.time - row.time;
  if (delay < -2'000 || delay > kWithinMs) return;
  ++totals_.joined;
  const std::uint64_t key = cell_key(row, event.row.time);
  ++cell(key, home_of_cell(key)).clicks;
}

LoopTotals ReferenceLoop::totals() const {
  LoopTotals totals = totals_;
  totals.cell_count = cell_count_;
  return totals;
}

}  // namespace adbrook::bench
