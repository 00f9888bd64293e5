// A run: spilled entries on disk in order, never changed. Its index and its filter of keys stay in
// memory, so that a look-up reads one block, and a key that is not there mostly none. Drawn in
// docs/formats/checkpoint.md.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "state/entry_source.h"
#include "state/manifest.h"
#include "state/run_files.h"

namespace adbrook::state {

// 512-bit lines of which a key sets six bits: about 1 % of absent keys are taken for present.
class KeyFilter {
 public:
  KeyFilter() = default;
  explicit KeyFilter(std::size_t key_count)
      : words_((key_count * kBitsPerKey / kLineBits + 1) * kLineWords) {}
  explicit KeyFilter(std::vector<std::uint64_t> words) : words_(std::move(words)) {}

  void add(std::uint64_t hash);
  bool may_have(std::uint64_t hash) const;
  const std::vector<std::uint64_t>& words() const { return words_; }
  static bool fits(std::size_t word_count) {
    return word_count > 0 && word_count % kLineWords == 0;
  }

 private:
  static constexpr std::size_t kBitsPerKey = 10;
  static constexpr std::size_t kLineBits = 512;
  static constexpr std::size_t kLineWords = 8;
  static constexpr int kBitsSet = 6;

  std::size_t line_of(std::uint64_t hash) const {
    const auto lines = static_cast<unsigned __int128>(words_.size() / kLineWords);
    return static_cast<std::size_t>((lines * hash) >> 64) * kLineWords;
  }

  std::vector<std::uint64_t> words_;
};

// Owned by one thread. Counts as a use of its file as long as it exists.
class SortedRun {
 public:
  SortedRun(const SortedRun&) = delete;
  SortedRun& operator=(const SortedRun&) = delete;
  ~SortedRun() { files_->end_use(begin_.file); }

  // What a checkpoint refers to: the footer, which has the index and the filter. Blocks have
  // checksums of their own.
  const Extent& footer() const { return footer_; }
  std::uint64_t begin() const { return begin_.position; }
  // Takes what Checkpoint::read() gives for the footer; nullptr when it is not that of such a run.
  static std::shared_ptr<SortedRun> load(std::shared_ptr<RunFiles> files, std::uint64_t begin,
                                         const Extent& footer, ByteView bytes);

  bool may_have(std::uint64_t hash) const { return filter_.may_have(hash); }
  // The last block that can hold (key, moment), by its first entry.
  std::size_t block_of(ByteView key, Moment moment) const;
  std::size_t block_count() const { return blocks_.size(); }
  // Fills `into` with the entries of one block, its checksum verified.
  Result<void> read_block(std::size_t block, Buffer& into) const;
  // True when it has the entry, which then points into `block`, of which it makes use.
  Result<bool> find(ByteView key, Moment moment, RunEntry& entry, Buffer& block) const;

  std::uint64_t entry_count() const { return entry_count_; }
  std::uint64_t size() const { return data_size_; }  // bytes of the blocks
  std::size_t memory() const;

 private:
  friend class RunWriter;
  struct Begin {
    std::uint64_t file;
    std::uint64_t position;
  };
  struct Block {
    std::uint64_t position;  // from the run's begin
    std::uint64_t key_at;    // its first entry's key in keys_
    Moment moment;
  };

  SortedRun(std::shared_ptr<RunFiles> files, Begin begin)
      : files_(std::move(files)), begin_(begin) {
    files_->use(begin_.file);
  }
  ByteView key_of(std::size_t block) const {
    const std::uint64_t end = block + 1 < blocks_.size() ? blocks_[block + 1].key_at : keys_.size();
    return ByteView(keys_).subspan(blocks_[block].key_at, end - blocks_[block].key_at);
  }
  Buffer encode_footer() const;
  bool decode_footer(ByteView bytes);

  std::shared_ptr<RunFiles> files_;
  Begin begin_;
  Extent footer_;
  std::vector<Block> blocks_;
  Buffer keys_;
  KeyFilter filter_;
  std::uint64_t entry_count_ = 0;
  std::uint64_t data_size_ = 0;
};

// Writes one run behind what its file has. Owned by one thread.
class RunWriter {
 public:
  RunWriter(std::shared_ptr<RunFiles> files, std::uint64_t file, std::uint64_t position);

  // By key and moment, ascending, each once; `hash` is that of the key.
  void add(const RunEntry& entry, std::uint64_t hash);
  // The run, or the first error of all writes. Its bytes are not synced yet.
  Result<std::shared_ptr<SortedRun>> finish();

 private:
  void end_block();
  void flush();

  std::shared_ptr<SortedRun> run_;
  Buffer block_;
  Buffer unflushed_;
  std::uint64_t flushed_ = 0;  // bytes of the run in the file
  std::vector<std::uint64_t> hashes_;
  Result<void> result_;
};

// The entries of a run in order, from a place on. Owned by one thread.
class RunCursor final : public EntrySource {
 public:
  explicit RunCursor(std::shared_ptr<const SortedRun> run) : run_(std::move(run)) {}
  // Begins with the first entry at or behind (key, moment).
  RunCursor(std::shared_ptr<const SortedRun> run, ByteView key, Moment moment);

  bool next(RunEntry& entry) override;

 private:
  bool next_in_block(RunEntry& entry);

  std::shared_ptr<const SortedRun> run_;
  std::size_t next_block_ = 0;
  Buffer block_;
  std::size_t at_ = 0;
  Buffer from_key_;  // what comes before (from_key_, from_moment_) is passed over
  Moment from_moment_;
  bool seeks_ = false;
};

}  // namespace adbrook::state
