// Texts and numbers as dense ids from 1 up, in order of their first appearance; 0 means absent.
// Append-only: an id never changes its meaning, also not over a restart.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace adbrook::state {

class Checkpoint;

struct DictionaryOptions {
  Bytes budget = 256_MiB;
  std::uint64_t hash_seed = 0;  // secret; changes no id
};

// Owned by one thread. Views it gives stay valid until load() or its end.
class Dictionary {
 public:
  explicit Dictionary(DictionaryOptions options = {});

  // The id of `text`, a new one when it was never seen. Always succeeds, so that a batch that was
  // begun can end; an owner that finds full() between two batches stops taking input.
  // A text is shorter than 2^31 bytes.
  std::uint32_t intern(std::string_view text);
  std::uint32_t intern(std::int64_t number);
  // 0 when it was never seen. A text and a number never share an id.
  std::uint32_t find(std::string_view text) const;
  std::uint32_t find(std::int64_t number) const;

  // Empty for 0, for an id that was not given out, and for the other kind.
  std::string_view text(std::uint32_t id) const;
  std::optional<std::int64_t> number(std::uint32_t id) const;

  // The greatest id given out.
  std::uint32_t count() const { return static_cast<std::uint32_t>(entries_.size()); }
  Bytes memory() const;
  bool full() const { return memory() >= options_.budget; }

  void save(Checkpoint& checkpoint, std::string_view name);
  Result<void> load(const Checkpoint& checkpoint, std::string_view name);

 private:
  struct Entry {
    const char* bytes;
    std::uint32_t size;  // with kNumberBit for a number, so that no text equals one
    std::uint32_t hash;  // the upper half, for growing without reading the bytes
  };
  struct Slot {
    std::uint32_t hash = 0;  // the upper half
    std::uint32_t id = 0;    // 0: empty
  };

  std::uint32_t intern(std::string_view bytes, std::uint32_t size);
  std::uint32_t find(std::string_view bytes, std::uint32_t size) const;
  std::size_t slot_of(std::string_view bytes, std::uint32_t size, std::uint32_t hash) const;
  std::uint32_t hash_of(std::string_view bytes) const;
  const char* store(std::string_view bytes);
  void grow(std::size_t slot_count);

  DictionaryOptions options_;
  std::vector<Entry> entries_;  // the entry of id n at n - 1
  std::vector<Slot> slots_;     // open addressing; their count is a power of two
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* block_next_ = nullptr;
  std::size_t block_left_ = 0;
  std::size_t block_bytes_ = 0;  // of all blocks
  std::uint32_t saved_count_ = 0;
  std::uint64_t saved_bytes_ = 0;
};

}  // namespace adbrook::state
