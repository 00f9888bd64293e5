#include "stream/input_reader.h"

#include <string>
#include <utility>

#include "record/batch_rewrite.h"
#include "stream/input.h"

namespace adbrook::stream {

void InputReader::seek(Offset position, std::int64_t passed_over) {
  position_ = position;
  passed_over_ = passed_over;
  next_fetch_ = position;
  chunks_.clear();
  batches_.clear();
  next_batch_ = 0;
}

Offset InputReader::reached() const {
  const bool used_up = chunks_.empty() || next_batch_ == chunks_.back().batches.size();
  return used_up ? next_fetch_ : position_;
}

Result<void> InputReader::fetch() {
  auto fetched = bus_.fetch(partition_, next_fetch_, kFetchSize);
  if (!fetched) return std::unexpected(fetched.error());
  next_fetch_ = fetched->next;
  if (fetched->batches.empty()) return {};
  chunks_.push_back(std::move(*fetched));
  next_batch_ = 0;
  return {};
}

// Fetching is put off until the bytes of the last step may go.
Result<bool> InputReader::has_more() {
  if (!chunks_.empty() && next_batch_ < chunks_.back().batches.size()) return true;
  begin_step();
  if (auto done = fetch(); !done) return std::unexpected(done.error());
  return !chunks_.empty() && next_batch_ < chunks_.back().batches.size();
}

// Lets go of the last step's bytes, but not of what is still to be read.
void InputReader::begin_step() {
  batches_.clear();
  if (chunks_.empty()) return;
  if (next_batch_ == chunks_.back().batches.size()) {
    chunks_.clear();
    next_batch_ = 0;
  } else if (chunks_.size() > 1) {
    chunks_.erase(chunks_.begin(), chunks_.end() - 1);
  }
}

// A header that cannot be read stops the task when its batch is opened.
InputReader::Times InputReader::next_times() const {
  const bus::Fetched& chunk = chunks_.back();
  const auto& batch = chunk.batches[next_batch_];
  const auto header =
      record::read_header(ByteView(chunk.bytes).subspan(batch.index_begin, batch.size));
  if (!header) return {};
  if (times_of_ != header->base_offset)
    times_ = {first_time(*header, ByteView(chunk.bytes).subspan(batch.index_begin, batch.size)),
              header->max_timestamp};
  times_of_ = header->base_offset;
  return times_;
}

// Where compaction keeps a deletion for a while, the header's first time says for how long.
Timestamp InputReader::first_time(const record::BatchHeader& header, ByteView batch) {
  if (!record::delete_horizon(header)) return header.base_timestamp;
  auto reader = record::BatchReader::open(batch, kDecompressedSizeMax);
  record::RecordView first;
  if (!reader || !reader->next(first).value_or(false)) return header.max_timestamp;
  return first.timestamp;
}

// Opens the next batch of the last chunk and returns how many records it has.
Result<std::int64_t> InputReader::open_next() {
  const bus::Fetched& chunk = chunks_.back();
  const auto& batch = chunk.batches[next_batch_];
  auto reader = record::BatchReader::open(
      ByteView(chunk.bytes).subspan(batch.index_begin, batch.size), kDecompressedSizeMax);
  if (!reader) return pass(reader.error(), partition_.topic);
  const auto& header = reader->header();
  const Offset last = header.last_offset();
  const std::int64_t count = header.record_count;
  if (last < position_)
    return fail(ErrorKind::corrupt, partition_.topic +
                                        ": the bus gave a batch that ends at offset " +
                                        std::to_string(last.value) + ", before the position " +
                                        std::to_string(position_.value) + "; report this");
  batches_.push_back({std::move(*reader), batch.append_time});
  passed_over_ += (last + 1).value - position_.value - count;
  position_ = last + 1;
  ++next_batch_;
  return count;
}

// Never waits for a second fetch: a step of the present ends where the bytes at hand do.
Result<InputReader::Taken> InputReader::take(Timestamp before) {
  begin_step();
  const Offset first = position_;
  std::int64_t count = 0;
  while (count < kRecordsPerStep && !chunks_.empty() &&
         next_batch_ < chunks_.back().batches.size()) {
    if (position_ != first && next_times().last >= before) break;
    const auto opened = open_next();
    if (!opened) return std::unexpected(opened.error());
    count += *opened;
  }
  return Taken{batches_, first, position_, count};
}

// A step of the past may have been cut from larger fetches than today's, so chunks are put
// together.
Result<InputReader::Taken> InputReader::take_until(Offset end) {
  begin_step();
  const Offset first = position_;
  std::int64_t count = 0;
  while (position_ < end) {
    if (chunks_.empty() || next_batch_ == chunks_.back().batches.size()) {
      const std::size_t chunk_count = chunks_.size();
      if (auto fetched = fetch(); !fetched) return std::unexpected(fetched.error());
      if (chunks_.size() == chunk_count) break;
    }
    const auto opened = open_next();
    if (!opened) return std::unexpected(opened.error());
    count += *opened;
  }
  if (position_ != end)
    return fail(ErrorKind::corrupt,
                partition_.topic + ": the changelog has a step that ends at offset " +
                    std::to_string(end.value) + ", but no batch does; the input was changed");
  return Taken{batches_, first, position_, count};
}

}  // namespace adbrook::stream
