#include "log/compaction_filter.h"

#include <algorithm>

#include "record/batch_rewrite.h"

namespace adbrook::log {
namespace {

Timestamp horizon_after(const CompactionScope& scope) {
  return scope.now + std::min(scope.delete_retention, Timestamp::highest() - scope.now);
}

}  // namespace

AbortedSpans::AbortedSpans(const std::vector<AbortedTransaction>& aborted) {
  for (const AbortedTransaction& transaction : aborted)
    spans_[transaction.producer_id].push_back(
        {.first = transaction.first, .last = transaction.last});
  for (auto& [producer, spans] : spans_) std::ranges::sort(spans, {}, &Span::first);
}

bool AbortedSpans::hold(const record::BatchHeader& header) const {
  if (!header.transactional()) return false;
  const auto found = spans_.find(header.producer_id);
  if (found == spans_.end()) return false;
  // A producer's transactions follow each other, so one at most can hold it.
  const auto& spans = found->second;
  const auto above = std::ranges::upper_bound(spans, header.base_offset, {}, &Span::first);
  return above != spans.begin() && header.base_offset <= (above - 1)->last;
}

Result<Offset> map_keys(ByteView batch, Offset from, const AbortedSpans& aborted,
                        KeyOffsets& last) {
  auto reader = record::BatchReader::open(batch, kCompactedBatchMax);
  if (!reader) return pass(std::move(reader.error()));
  const record::BatchHeader& header = reader->header();
  const Offset behind = header.last_offset() + 1;
  if (header.control() || aborted.hold(header)) return behind;
  record::RecordView record;
  for (;;) {
    const auto more = reader->next(record);
    if (!more) return pass(more.error());
    if (!*more) return behind;
    if (record.offset < from || !record.key) continue;
    if (!last.put(*record.key, record.offset)) return record.offset;
  }
}

std::optional<Timestamp> CompactionFilter::horizon(const record::BatchHeader& header) const {
  if (header.last_offset() >= scope_.dirty_begin) return std::nullopt;
  return record::delete_horizon(header);
}

Result<CompactionFilter::Kept> CompactionFilter::look(ByteView batch) {
  const auto header = record::read_header(batch);
  if (!header) return pass(header.error());
  if (header->control()) return look_at_marker(batch, *header);
  auto kept = look_at_records(batch, *header);
  if (kept && kept->any && header->transactional()) with_records_.insert(header->producer_id);
  return kept;
}

// The end of a transaction says something as long as there are records that it ends; then for as
// long as a deletion does, for readers that are on their way.
Result<CompactionFilter::Kept> CompactionFilter::look_at_marker(ByteView batch,
                                                                const record::BatchHeader& header) {
  const bool needed = with_records_.erase(header.producer_id) > 0;
  if (needed || header.base_offset >= scope_.dirty_end) return Kept{};
  const auto until = horizon(header);
  if (until && *until > scope_.now) return Kept{};
  if (until) {
    if (aborted_.hold(header)) removed_ends_.push_back(header.base_offset);
    return Kept{.any = false, .removed_count = header.record_count};
  }
  auto marked = record::keep_records(batch, std::vector<bool>(1, true), horizon_after(scope_),
                                     kCompactedBatchMax);
  if (!marked) return pass(std::move(marked.error()));
  return Kept{.rewritten = std::move(*marked)};
}

Result<CompactionFilter::Kept> CompactionFilter::look_at_records(
    ByteView batch, const record::BatchHeader& header) {
  if (header.base_offset >= scope_.dirty_end) return Kept{};
  if (aborted_.hold(header) && header.last_offset() < scope_.dirty_end)
    return Kept{.any = false, .removed_count = header.record_count};
  auto reader = record::BatchReader::open(batch, kCompactedBatchMax);
  if (!reader) return pass(std::move(reader.error()));
  const auto until = horizon(header);
  const bool keeps_deletions = !until || *until > scope_.now;
  std::vector<bool> keep;
  std::int32_t kept_count = 0;
  bool any_deletion = false;
  record::RecordView record;
  for (;;) {
    const auto more = reader->next(record);
    if (!more) return pass(more.error());
    if (!*more) break;
    bool stays = record.offset >= scope_.dirty_end;
    if (!stays && record.key) {
      const auto newest = last_.find(*record.key);
      stays = (!newest || record.offset >= *newest) && (record.value || keeps_deletions);
    }
    keep.push_back(stays);
    kept_count += stays;
    any_deletion = any_deletion || (stays && !record.value);
  }
  Kept kept{.any = kept_count > 0, .removed_count = header.record_count - kept_count};
  // Deletions count from the first time that they were all that was left of their keys.
  std::optional<Timestamp> mark;
  if (any_deletion && !until) mark = horizon_after(scope_);
  if (!kept.any || (kept.removed_count == 0 && !mark)) return kept;
  auto fewer = record::keep_records(batch, keep, mark, kCompactedBatchMax);
  if (!fewer) return pass(std::move(fewer.error()));
  kept.rewritten = std::move(*fewer);
  return kept;
}

}  // namespace adbrook::log
