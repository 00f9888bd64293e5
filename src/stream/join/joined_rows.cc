#include "stream/join/joined_rows.h"

#include <algorithm>

#include "base/assert.h"
#include "base/copy_bytes.h"

namespace adbrook::stream {

namespace {

// An entry: which sides are there (bit 0 left, bit 1 right), their times, the left row's size, then
// the rows. Written and read by this process and its checkpoints only.
constexpr std::size_t kLeftTime = 1, kRightTime = 9, kLeftSize = 17, kRows = 21;

}  // namespace

std::optional<Timestamp> JoinedRow::time() const {
  if (left && right) return std::max(left_time, right_time);
  if (left) return left_time;
  if (right) return right_time;
  return std::nullopt;
}

bool JoinedRow::joins(JoinKind kind) const {
  switch (kind) {
    case JoinKind::inner: return left && right;
    case JoinKind::left: return left.has_value();
    case JoinKind::outer: return left || right;
  }
  return false;
}

Bytes JoinedRows::memory() const {
  return {store_.memory().count + static_cast<std::int64_t>(copied_.capacity())};
}

JoinedRow JoinedRows::copy_of(ByteView key) {
  const auto entry = store_.get(key);
  if (!entry) return {};
  ADBROOK_ASSERT(entry->size() >= kRows, "an entry was written here");
  copied_.assign(entry->begin(), entry->end());
  const auto sides = std::to_integer<unsigned>(copied_[0]);
  const std::size_t left_size = load_le<std::uint32_t>(copied_.data() + kLeftSize);
  const ByteView rows = ByteView(copied_).subspan(kRows);
  ADBROOK_ASSERT(left_size <= rows.size(), "an entry was written here");
  JoinedRow row;
  if (sides & 1u) row.left = rows.first(left_size);
  if (sides & 2u) row.right = rows.subspan(left_size);
  row.left_time = {load_le<std::int64_t>(copied_.data() + kLeftTime)};
  row.right_time = {load_le<std::int64_t>(copied_.data() + kRightTime)};
  return row;
}

void JoinedRows::put(ByteView key, const JoinedRow& row) {
  if (!row.left && !row.right) {
    store_.erase(key);
    return;
  }
  const ByteView left = row.left.value_or(ByteView{}), right = row.right.value_or(ByteView{});
  const auto entry = store_.upsert(key, kRows + left.size() + right.size());
  entry[0] = std::byte((row.left ? 1 : 0) | (row.right ? 2 : 0));
  store_le(entry.data() + kLeftTime, row.left_time.ms);
  store_le(entry.data() + kRightTime, row.right_time.ms);
  store_le(entry.data() + kLeftSize, static_cast<std::uint32_t>(left.size()));
  copy_bytes(left, entry.data() + kRows);
  copy_bytes(right, entry.data() + kRows + left.size());
}

}  // namespace adbrook::stream
