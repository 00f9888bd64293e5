#include "state/sorted_run.h"

#include <algorithm>

#include "base/assert.h"
#include "base/hash.h"
#include "base/varint.h"
#include "io/failpoint.h"
#include "state/blob_reader.h"

namespace adbrook::state {
namespace {

constexpr std::uint32_t kRunVersion = 1;
constexpr std::size_t kBlockSize = 2048;  // a block ends with the entry that reaches it
constexpr std::size_t kWriteSize = 256 << 10;
constexpr std::size_t kChecksumSize = 4;

void append_varint(Buffer& to, std::uint64_t value) {
  std::byte bytes[kVarintSizeMax];
  const std::byte* end = write_varint(bytes, static_cast<std::int64_t>(value));
  append(to, {bytes, end});
}

std::unexpected<Error> damaged(const std::string& path, std::uint64_t position) {
  return fail(ErrorKind::corrupt,
              "spilled state in '" + path + "' at byte " + std::to_string(position) +
                  " is damaged: its checksum does not match; stop, remove the task's state "
                  "directory and start again to build the state from its inputs");
}

// The entry at byte `at` of a block, which moves behind it.
Result<void> read_entry(ByteView block, std::size_t& at, RunEntry& entry) {
  const std::byte* const end = block.data() + block.size();
  std::int64_t key_size = 0, value_size = 0, delta = 0, sequence = 0;
  const std::byte* from = read_varint(block.data() + at, end, key_size);
  from = read_varint(from, end, value_size);
  from = read_varint(from, end, delta);
  from = read_varint(from, end, sequence);
  entry.gone = (key_size & 1) != 0;
  key_size >>= 1;
  const std::int64_t left = from == nullptr ? -1 : end - from;
  if (key_size < 0 || value_size < 0 || key_size > left || value_size > left - key_size)
    return fail(ErrorKind::corrupt,
                "spilled state cannot be read: a block is not as this version writes it; remove "
                "the task's state directory to build the state again from its inputs");
  entry.key = {from, static_cast<std::size_t>(key_size)};
  entry.value = {from + key_size, static_cast<std::size_t>(value_size)};
  entry.moment = {static_cast<std::uint32_t>(delta), static_cast<std::uint32_t>(sequence)};
  at = static_cast<std::size_t>(from + key_size + value_size - block.data());
  return {};
}

}  // namespace

void KeyFilter::add(std::uint64_t hash) {
  std::uint64_t* line = words_.data() + line_of(hash);
  std::uint64_t bits = hash * 0x9E3779B97F4A7C15ull;
  for (int i = 0; i < kBitsSet; ++i, bits >>= 9) line[bits >> 6 & 7] |= 1ull << (bits & 63);
}

bool KeyFilter::may_have(std::uint64_t hash) const {
  const std::uint64_t* line = words_.data() + line_of(hash);
  std::uint64_t bits = hash * 0x9E3779B97F4A7C15ull;
  for (int i = 0; i < kBitsSet; ++i, bits >>= 9)
    if ((line[bits >> 6 & 7] >> (bits & 63) & 1) == 0) return false;
  return true;
}

std::size_t SortedRun::block_of(ByteView key, Moment moment) const {
  const RunEntry wanted{.key = key, .moment = moment, .value = {}};
  std::size_t from = 0;
  std::size_t count = blocks_.size();
  while (count > 1) {
    const std::size_t half = count / 2;
    const RunEntry first{
        .key = key_of(from + half), .moment = blocks_[from + half].moment, .value = {}};
    if (compare_places(first, wanted) <= 0) from += half;
    count -= half;
  }
  return from;
}

Result<void> SortedRun::read_block(std::size_t block, Buffer& into) const {
  const std::uint64_t position = blocks_[block].position;
  const std::uint64_t end = block + 1 < blocks_.size() ? blocks_[block + 1].position : data_size_;
  into.resize(end - position);
  if (auto done = files_->read(begin_.file, begin_.position + position, into); !done) return done;
  const std::size_t size = into.size() - kChecksumSize;
  if (crc32c(ByteView(into).first(size)) != load_le<std::uint32_t>(into.data() + size))
    return damaged(files_->path(begin_.file), begin_.position + position);
  into.resize(size);
  return {};
}

Result<bool> SortedRun::find(ByteView key, Moment moment, RunEntry& entry, Buffer& block) const {
  const RunEntry wanted{.key = key, .moment = moment, .value = {}};
  if (auto done = read_block(block_of(key, moment), block); !done) return pass(done.error());
  for (std::size_t at = 0; at < block.size();) {
    if (auto done = read_entry(block, at, entry); !done) return pass(done.error());
    const int order = compare_places(entry, wanted);
    if (order >= 0) return order == 0;
  }
  return false;
}

std::size_t SortedRun::memory() const {
  constexpr std::size_t kAllocationHead = 16;
  return sizeof(SortedRun) + blocks_.capacity() * sizeof(Block) + keys_.capacity() +
         filter_.words().capacity() * sizeof(std::uint64_t) + 4 * kAllocationHead;
}

Buffer SortedRun::encode_footer() const {
  Buffer bytes;
  append_le(bytes, kRunVersion);
  append_le(bytes, static_cast<std::uint32_t>(blocks_.size()));
  append_le(bytes, entry_count_);
  append_le(bytes, data_size_);
  append_le(bytes, static_cast<std::uint64_t>(filter_.words().size()));
  for (std::size_t block = 0; block < blocks_.size(); ++block) {
    append_le(bytes, blocks_[block].position);
    append_le(bytes, blocks_[block].moment.delta);
    append_le(bytes, blocks_[block].moment.sequence);
    append_le(bytes, static_cast<std::uint32_t>(key_of(block).size()));
    append(bytes, key_of(block));
  }
  append(bytes, bytes_of(filter_.words().data(), filter_.words().size()));
  return bytes;
}

// Its checksum was verified, so that what does not fit was written by another version.
bool SortedRun::decode_footer(ByteView bytes) {
  BlobReader reader(bytes);
  if (reader.number<std::uint32_t>() != kRunVersion) return false;
  const auto block_count = reader.number<std::uint32_t>();
  entry_count_ = reader.number<std::uint64_t>();
  data_size_ = reader.number<std::uint64_t>();
  const auto word_count = reader.number<std::uint64_t>();
  if (block_count == 0 || block_count > reader.left() || !KeyFilter::fits(word_count)) return false;
  blocks_.reserve(block_count);
  std::uint64_t previous_end = 0;
  for (std::uint32_t i = 0; i < block_count; ++i) {
    Block block{reader.number<std::uint64_t>(), keys_.size(), {}};
    block.moment = {reader.number<std::uint32_t>(), reader.number<std::uint32_t>()};
    append(keys_, reader.bytes(reader.number<std::uint32_t>()));
    const bool follows = i == 0 ? block.position == 0 : block.position > previous_end;
    if (!reader.good() || !follows) return false;
    previous_end = block.position + kChecksumSize;
    blocks_.push_back(block);
  }
  if (data_size_ <= previous_end || reader.left() / sizeof(std::uint64_t) != word_count)
    return false;
  std::vector<std::uint64_t> words(word_count);
  std::memcpy(words.data(), reader.bytes(word_count * sizeof(words[0])).data(),
              word_count * sizeof(words[0]));
  filter_ = KeyFilter(std::move(words));
  keys_.shrink_to_fit();
  return reader.ended_well();
}

std::shared_ptr<SortedRun> SortedRun::load(std::shared_ptr<RunFiles> files, std::uint64_t begin,
                                           const Extent& footer, ByteView bytes) {
  std::shared_ptr<SortedRun> run(new SortedRun(std::move(files), {footer.file, begin}));
  run->footer_ = footer;
  const bool fits = begin <= footer.position && run->decode_footer(bytes) &&
                    run->data_size_ == footer.position - begin;
  return fits ? run : nullptr;
}

RunWriter::RunWriter(std::shared_ptr<RunFiles> files, std::uint64_t file, std::uint64_t position)
    : run_(new SortedRun(std::move(files), {file, position})) {}

void RunWriter::add(const RunEntry& entry, std::uint64_t hash) {
  SortedRun& run = *run_;
  if (block_.empty()) {
    run.blocks_.push_back({run.data_size_, run.keys_.size(), entry.moment});
    append(run.keys_, entry.key);
  }
  append_varint(block_, std::uint64_t{entry.key.size()} * 2 + (entry.gone ? 1 : 0));
  append_varint(block_, entry.value.size());
  append_varint(block_, entry.moment.delta);
  append_varint(block_, entry.moment.sequence);
  append(block_, entry.key);
  append(block_, entry.value);
  if (hashes_.empty() || hashes_.back() != hash) hashes_.push_back(hash);
  ++run.entry_count_;
  if (block_.size() >= kBlockSize) end_block();
}

void RunWriter::end_block() {
  if (block_.empty()) return;
  append_le(block_, crc32c(block_));
  run_->data_size_ += block_.size();
  append(unflushed_, block_);
  block_.clear();
  if (unflushed_.size() >= kWriteSize) flush();
}

void RunWriter::flush() {
  io::failpoint("run-write");
  if (result_) {
    result_ = run_->files_->write(run_->begin_.file, run_->begin_.position + flushed_, unflushed_);
  }
  flushed_ += unflushed_.size();
  unflushed_.clear();
}

Result<std::shared_ptr<SortedRun>> RunWriter::finish() {
  ADBROOK_ASSERT(run_->entry_count_ > 0, "a run has entries");
  end_block();
  SortedRun& run = *run_;
  run.filter_ = KeyFilter(hashes_.size());
  for (const std::uint64_t hash : hashes_) run.filter_.add(hash);
  run.blocks_.shrink_to_fit();
  run.keys_.shrink_to_fit();
  const Buffer footer = run.encode_footer();
  run.footer_ = {run.begin_.file, run.begin_.position + run.data_size_, footer.size(),
                 crc32c(footer)};
  append(unflushed_, footer);
  flush();
  if (!result_) return pass(result_.error());
  return std::move(run_);
}

RunCursor::RunCursor(std::shared_ptr<const SortedRun> run, ByteView key, Moment moment)
    : run_(std::move(run)), from_key_(key.begin(), key.end()), from_moment_(moment), seeks_(true) {
  next_block_ = run_->block_of(key, moment);
}

bool RunCursor::next(RunEntry& entry) {
  while (next_in_block(entry)) {
    if (!seeks_) return true;
    const RunEntry from{.key = from_key_, .moment = from_moment_, .value = {}};
    seeks_ = compare_places(entry, from) < 0;
    if (!seeks_) return true;
  }
  return false;
}

bool RunCursor::next_in_block(RunEntry& entry) {
  if (!result_) return false;
  if (at_ == block_.size()) {
    if (next_block_ == run_->block_count()) return false;
    result_ = run_->read_block(next_block_++, block_);
    at_ = 0;
    if (!result_) return false;
  }
  result_ = read_entry(block_, at_, entry);
  return result_.has_value();
}

}  // namespace adbrook::state
