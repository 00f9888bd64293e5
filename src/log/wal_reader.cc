#include "log/wal_reader.h"

#include <algorithm>

namespace adbrook::log {
namespace {

constexpr std::size_t kWindowSize = 1 << 20;

std::uint64_t next_block(std::uint64_t position) {
  return (position / kWalBlockSize + 1) * kWalBlockSize;
}

}  // namespace

Result<WalReader> WalReader::open(io::FileSystem& files, const std::string& directory,
                                  std::uint64_t number) {
  auto file = files.open(directory + "/" + wal_file_name(number), io::OpenMode::read);
  if (!file) return pass(std::move(file.error()));
  const auto size = (*file)->size();
  if (!size) return pass(size.error());
  WalReader reader(std::move(*file), number, *size);
  const auto block = reader.look(0, kWalBlockSize);
  if (!block) return pass(block.error());
  const auto header = read_wal_header(*block);
  if (header && header->file_number == number) reader.header_ = *header;
  return reader;
}

// Fewer bytes only at the end of the file.
Result<ByteView> WalReader::look(std::uint64_t position, std::size_t size) {
  size = std::min<std::uint64_t>(size, size_ - std::min(position, size_));
  if (position < window_begin_ || position + size > window_begin_ + window_.size()) {
    // Grows with what an entry claims, never beyond the file.
    window_.resize(std::min<std::uint64_t>(std::max(size, kWindowSize), size_ - position));
    window_begin_ = position;
    const auto got = file_->read_at(position, window_);
    if (!got) return pass(got.error());
    window_.resize(*got);
    size = std::min(size, window_.size());
  }
  return ByteView(window_).subspan(position - window_begin_, size);
}

Result<std::optional<WalEntry>> WalReader::entry_at(std::uint64_t position) {
  const auto front = look(position, kWalEntryHeaderSize);
  if (!front) return pass(front.error());
  const std::size_t size = claimed_wal_entry_size(*front);
  if (size == 0 || size > size_ - position) return std::nullopt;
  const auto bytes = look(position, size);
  if (!bytes) return pass(bytes.error());
  const auto entry = read_wal_entry(*bytes, number_);
  if (!entry) return std::nullopt;
  return *entry;
}

Result<std::optional<WalEntry>> WalReader::next(std::uint64_t& position, std::uint64_t sequence) {
  // Either the next entry of the group is here, or the group is over and the next one begins on a
  // block. Padding may be shorter than a size, so only a whole entry with this sequence decides.
  for (const std::uint64_t at : {position, next_block(position - 1)}) {
    if (at >= size_) break;
    auto entry = entry_at(at);
    if (!entry) return entry;
    if (!*entry || (*entry)->sequence != sequence) continue;
    position = at + kWalEntryHeaderSize + (*entry)->payload.size();
    return entry;
  }
  return std::nullopt;
}

Result<bool> WalReader::proves_synced(std::uint64_t position, std::uint64_t sequence) {
  // Only the first entry of each group is looked at; it proves all groups before it.
  for (position = next_block(position - 1); position < size_; position += kWalBlockSize) {
    const auto front = look(position, kWalEntryHeaderSize);
    if (!front) return pass(front.error());
    if (claimed_wal_entry_size(*front) == 0) continue;
    // Before the checksum, which costs reading all that it claims: what lies there is mostly older
    // entries and bytes of batches, and only so many entries fit this file.
    const auto found = load_le<std::uint64_t>(front->data() + 8);
    const auto synced = load_le<std::uint64_t>(front->data() + 16);
    const bool possible = found > sequence && found - sequence < size_ / kWalEntryHeaderSize &&
                          synced >= sequence && synced < found;
    if (!possible) continue;
    const auto entry = entry_at(position);
    if (!entry) return pass(entry.error());
    if (*entry) return true;
  }
  return false;
}

}  // namespace adbrook::log
