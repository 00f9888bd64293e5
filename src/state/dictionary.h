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

// Owned by one thread. Views it gives stay valid as long as it lives (until load()).
class Dictionary {
 public:
  explicit Dictionary(DictionaryOptions options = {});

  // The id of `text`, a new one when it was never seen. Always succeeds; an owner that finds full()
  // between two batches stops taking input.
  std::uint32_t intern(std::string_view text);
  std::uint32_t intern(std::int64_t number);
  // 0 when it was never seen. A text and a number never share an id.
  std::uint32_t find(std::string_view text) const;
  std::uint32_t find(std::int64_t number) const;

  // Empty for 0, for an id that was not given out, and for the other kind.
  std::string_view text(std::uint32_t id) const;
  std::optional<std::int64_t> number(std::uint32_t id) const;

  std::uint32_t count() const { return static_cast<std::uint32_t>(entries_.size()); }
  Bytes memory() const;
  bool full() const { return memory() >= options_.budget; }

  void save(Checkpoint& checkpoint, std::string_view name);
  Result<void> load(const Checkpoint& checkpoint, std::string_view name);

 private:
  struct Entry {
    const char* bytes;
    std::uint32_t tag;  // size, with the kind on top
  };

  std::uint32_t intern(std::string_view bytes, std::uint32_t kind);
  std::uint32_t find(std::string_view bytes, std::uint32_t kind) const;
  std::uint64_t hash(std::string_view bytes, std::uint32_t kind) const;
  const char* store(std::string_view bytes);
  void grow();

  DictionaryOptions options_;
  std::vector<Entry> entries_;              // entry of id n at n - 1
  std::unique_ptr<std::uint64_t[]> slots_;  // hash tag and id; 0 is empty
  std::size_t slot_count_ = 0;              // a power of two
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t block_left_ = 0;
  char* block_next_ = nullptr;
  std::size_t block_bytes_ = 0;  // of all blocks
  std::uint32_t saved_count_ = 0;
  std::uint64_t saved_bytes_ = 0;
};

}  // namespace adbrook::state
