// What a table–table join remembers: for each key the row of either side, as bytes, with its time.
// One entry holds both, so an update costs one look-up, and what stood before it is known exactly.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "state/key_value_store.h"
#include "stream/join/join_buffer.h"

namespace adbrook::stream {

// Both sides of one key; a time means nothing without its row.
struct JoinedRow {
  std::optional<ByteView> left, right;
  Timestamp left_time, right_time;

  bool has(JoinSide side) const { return (side == JoinSide::left ? left : right).has_value(); }
  // Of the result that these sides make; nothing without rows.
  std::optional<Timestamp> time() const;
  // There is a result of this kind.
  bool joins(JoinKind kind) const;
};

// Owned by one thread.
class JoinedRows {
 public:
  explicit JoinedRows(state::KeyValueStoreOptions options) : store_(std::move(options)) {}

  // The row of this side of this key becomes `row`; nothing deletes it. The row that came last
  // stands, whatever its time. First calls changed(const JoinedRow& before, const JoinedRow&
  // after), with views that end with the call; when that throws, all stays as it was.
  template <class F>
  void update(JoinSide side, ByteView key, Timestamp time, std::optional<ByteView> row,
              F&& changed) {
    const JoinedRow before = copy_of(key);
    JoinedRow after = before;
    (side == JoinSide::left ? after.left : after.right) = row;
    (side == JoinSide::left ? after.left_time : after.right_time) = time;
    changed(before, after);
    put(key, after);
  }

  std::size_t count() const { return store_.count(); }
  Bytes memory() const;
  bool full() const { return store_.full(); }
  Result<void> trouble() const { return store_.trouble(); }
  void open(state::Checkpoint& checkpoint) { store_.open(checkpoint); }
  void save(state::Checkpoint& checkpoint, std::string_view name) { store_.save(checkpoint, name); }
  Result<void> load(const state::Checkpoint& checkpoint, std::string_view name) {
    return store_.load(checkpoint, name);
  }

 private:
  JoinedRow copy_of(ByteView key);
  void put(ByteView key, const JoinedRow& row);

  state::KeyValueStore store_;
  Buffer copied_;  // the entry as it was before; reused
};

}  // namespace adbrook::stream
