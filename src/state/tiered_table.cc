#include "state/tiered_table.h"

#include <memory>

#include "base/hash.h"
#include "state/blob_reader.h"
#include "state/checkpoint.h"
#include "state/key_table.h"
#include "state/table_sources.h"
#include "state/time_table.h"

namespace adbrook::state {
namespace {

constexpr std::uint64_t kSmallBlob = 4096;  // below it a rewrite costs nothing

std::unique_ptr<EntrySource> entries_of(const KeyTable& table) {
  return std::make_unique<KeyTableEntries>(table);
}
std::unique_ptr<EntrySource> entries_of(const TimeTable& table) {
  return std::make_unique<TimeTableEntries>(table);
}

}  // namespace

template <class Table>
Result<void> TieredTable<Table>::spill(SpillPlace& place, std::uint64_t seed) {
  auto pushed = runs.push(entries_of(table), table.used(), place,
                          [seed](ByteView key) { return seeded_hash(as_text(key), seed); });
  if (!pushed) return pushed;
  table = {};
  spilled_ = true;
  return {};
}

template <class Table>
void TieredTable<Table>::save(Checkpoint& checkpoint, const TablePlace& place, Buffer& meta,
                              std::set<std::string>& kept) {
  save_table(checkpoint, place.blob);
  append_le(meta, saved_size_);
  append_le(meta, count);
  runs.save(checkpoint, place.store, meta, kept);
  if (saved_size_ != 0) kept.insert(place.blob);
}

// Changes go behind what is there, until that would be half garbage.
template <class Table>
void TieredTable<Table>::save_table(Checkpoint& checkpoint, const std::string& blob) {
  const std::uint64_t stored = checkpoint.size(blob).value_or(0);
  const bool as_stored = stored == saved_size_ && !spilled_;
  if (as_stored && !table.changed()) return;
  const std::uint64_t extended = stored + table.changed_size();
  if (as_stored && checkpoint.can_extend(blob, stored) &&
      extended <= 2 * table.encoded_size() + kSmallBlob) {
    auto changes = [&](Buffer& to, Visit<> after_each) { table.append_changes(to, after_each); };
    saved_size_ = stored + checkpoint.extend_in_pieces(blob, Visit<Buffer&, Visit<>>(changes));
    return;
  }
  auto all = [&](Buffer& to, Visit<> after_each) { table.append_all(to, shadows(), after_each); };
  saved_size_ = checkpoint.replace_in_pieces(blob, Visit<Buffer&, Visit<>>(all));
  spilled_ = false;
}

template <class Table>
Result<void> TieredTable<Table>::load(const Checkpoint& checkpoint, const TablePlace& place,
                                      BlobReader& meta, Buffer& scratch, std::uint64_t seed,
                                      std::int64_t bucket_size) {
  saved_size_ = meta.number<std::uint64_t>();
  count = meta.number<std::uint64_t>();
  if (auto done = runs.load(checkpoint, place.store, meta); !done) return done;
  if (!meta.good()) return unreadable_blob(place.store, "meta");
  if (saved_size_ != 0) {
    if (auto read = checkpoint.read(place.blob, scratch); !read) return read;
    const EncodedRules rules{.shadows = shadows(), .seed = seed, .bucket_size = bucket_size};
    if (scratch.size() != saved_size_ || !table.load(scratch, rules))
      return unreadable_blob(place.store, place.blob);
  }
  if (!shadows() && table.count() != count) return unreadable_blob(place.store, "meta");
  return {};
}

template class TieredTable<KeyTable>;
template class TieredTable<TimeTable>;

}  // namespace adbrook::state
