#include "reference_loop.h"

#include <bit>

#include "base/assert.h"
#include "base/hash.h"

namespace adbrook::bench {
namespace {

constexpr std::uint64_t kSeed = 0x5bd1e9955bd1e995;
constexpr std::int64_t kWithinMs = 30 * 60'000;

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
      cells_(std::bit_ceil(event_count / 2 + 1024)) {
  rows_.reserve(event_count);
}

ReferenceLoop::Slot* ReferenceLoop::seen(std::vector<Slot>& table, Uuid id) {
  const std::size_t mask = table.size() - 1;
  std::size_t at = seeded_hash(id, kSeed) & mask;
  while (table[at].row != 0 && table[at].id != id) at = (at + 1) & mask;
  return &table[at];
}

ReferenceLoop::Cell& ReferenceLoop::cell(std::uint32_t campaign, std::uint32_t publisher,
                                         std::uint32_t country, std::int64_t time) {
  const std::uint64_t minute = static_cast<std::uint64_t>(time) / 60'000;
  const std::uint64_t key = (minute << 36) ^ (static_cast<std::uint64_t>(campaign) << 26) ^
                            (static_cast<std::uint64_t>(publisher) << 16) ^ country ^ (1ull << 63);
  const std::size_t mask = cells_.size() - 1;
  std::size_t at = (key * 0x9E3779B97F4A7C15ull) >> 20 & mask;
  while (cells_[at].key != 0 && cells_[at].key != key) at = (at + 1) & mask;
  if (cells_[at].key == 0) {
    cells_[at].key = key;
    ++cell_count_;
    ADBROOK_ASSERT(cell_count_ < cells_.size(), "the loop's tables are sized for its events");
  }
  return cells_[at];
}

void ReferenceLoop::impressions(ByteView batch) {
  for_each_value(batch, [&](Cursor& in) {
    ++totals_.impressions;
    const Uuid id = in.uuid();
    const std::int64_t time = in.varint();
    const auto campaign = static_cast<std::uint32_t>(in.varint());
    const auto publisher = static_cast<std::uint32_t>(in.varint());
    for (int i = 0; i < 5; ++i) in.optional_text();  // creative, placement, user, ip, city
    const std::uint32_t country = country_code(in.optional_text());
    for (int i = 0; i < 3; ++i) in.optional_text();  // browser, platform, its version
    in.optional_double();
    in.optional_double();
    const std::int64_t price = in.varint() != 0 ? in.varint() : 0;
    Slot* slot = seen(seen_impressions_, id);
    if (slot->row != 0) {
      ++totals_.duplicates;
      return;
    }
    rows_.push_back({time, campaign, publisher, country});
    *slot = {id, static_cast<std::uint32_t>(rows_.size())};
    Cell& counted = cell(campaign, publisher, country, time);
    ++counted.impressions;
    counted.spend_micros += static_cast<std::uint64_t>(price);
    totals_.spend_micros += static_cast<std::uint64_t>(price);
  });
}

void ReferenceLoop::clicks(ByteView batch) {
  for_each_value(batch, [&](Cursor& in) {
    ++totals_.clicks;
    const Uuid id = in.uuid();
    const std::int64_t time = in.varint();
    in.varint();
    in.varint();
    const bool linked = in.varint() != 0;
    const Uuid impression = linked ? in.uuid() : Uuid{};
    Slot* slot = seen(seen_clicks_, id);
    if (slot->row != 0) {
      ++totals_.duplicates;
      return;
    }
    *slot = {id, 1};
    if (!linked) {
      ++totals_.unlinked;
      return;
    }
    const Slot* found = seen(seen_impressions_, impression);
    if (found->row == 0) return;
    const Row& row = rows_[found->row - 1];
    const std::int64_t delay = time - row.time;
    if (delay < -2'000 || delay > kWithinMs) return;
    ++totals_.joined;
    ++cell(row.campaign, row.publisher, row.country, time).clicks;
  });
}

LoopTotals ReferenceLoop::totals() const {
  LoopTotals totals = totals_;
  totals.cell_count = cell_count_;
  return totals;
}

}  // namespace adbrook::bench
