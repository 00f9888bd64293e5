#include "log/wal.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "base/assert.h"
#include "base/hash.h"
#include "io/kernel_file.h"

namespace adbrook::log {
namespace {

constexpr std::string_view kWalMagic{"ADBKWAL\0", 8};
constexpr std::uint32_t kWalVersion = 1;
constexpr std::size_t kFileCrcAt = 12;
constexpr std::size_t kNumbersAt = 16;
constexpr std::size_t kHeaderSize = 32;
constexpr std::string_view kSuffix = ".wal";
constexpr std::size_t kNameDigits = 20;
// A new file is filled with zeros this far ahead of its entries: an overwrite syncs faster than a
// write into a block that the file system has reserved and never written.
// In small steps, since the entry that comes with one waits for it: 1 MiB makes a sync of 0.3 ms
// one of 3 ms, 128 KiB makes it 0.6 ms.
constexpr std::size_t kFillSize = 128 << 10;
// For smaller groups another call costs more than what the disk can do until the sync.
constexpr std::size_t kBegunSyncSizeMin = 128 << 10;
// For larger groups the sync is not what costs, and the zeros would be written for nothing.
constexpr std::size_t kFilledGroupSizeMax = 32 << 10;

std::size_t padded(std::size_t size) {
  return (size + kWalBlockSize - 1) / kWalBlockSize * kWalBlockSize;
}

}  // namespace

std::string wal_file_name(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  return std::string(kNameDigits - digits.size(), '0') + digits + std::string(kSuffix);
}

std::uint64_t wal_file_number(std::string_view name) {
  if (name.size() != kNameDigits + kSuffix.size() || !name.ends_with(kSuffix)) return 0;
  std::uint64_t number = 0;
  const char* const end = name.data() + kNameDigits;
  const auto [stop, error] = std::from_chars(name.data(), end, number);
  return error == std::errc() && stop == end ? number : 0;
}

Buffer encode_wal_header(const WalHeader& header) {
  Buffer block;
  block.reserve(kWalBlockSize);
  append(block, as_bytes(kWalMagic));
  append_le(block, kWalVersion);
  append_le(block, std::uint32_t{0});
  append_le(block, header.file_number);
  append_le(block, header.first_sequence);
  const auto crc = crc32c(ByteView(block).subspan(kNumbersAt));
  store_le(block.data() + kFileCrcAt, crc);
  block.resize(kWalBlockSize);
  return block;
}

Result<WalHeader> read_wal_header(ByteView block) {
  if (block.size() < kHeaderSize || as_text(block.first(kWalMagic.size())) != kWalMagic)
    return fail(ErrorKind::corrupt, "no write-ahead header");
  if (load_le<std::uint32_t>(block.data() + kWalMagic.size()) != kWalVersion)
    return fail(ErrorKind::corrupt, "write-ahead header of an unknown version");
  const ByteView numbers = block.subspan(kNumbersAt, kHeaderSize - kNumbersAt);
  if (load_le<std::uint32_t>(block.data() + kFileCrcAt) != crc32c(numbers))
    return fail(ErrorKind::corrupt, "write-ahead header with a wrong checksum");
  return WalHeader{.file_number = load_le<std::uint64_t>(numbers.data()),
                   .first_sequence = load_le<std::uint64_t>(numbers.data() + 8)};
}

std::size_t wal_entry_size_max(Bytes file_size) {
  const auto size = static_cast<std::size_t>(file_size.count) / kWalBlockSize * kWalBlockSize;
  return size - kWalBlockSize;
}

Wal::Wal(io::FileSystem& files, io::Clock& clock, Metrics& metrics, std::string directory,
         WalOptions options)
    : files_(files),
      clock_(clock),
      directory_(std::move(directory)),
      options_(options),
      file_size_(wal_entry_size_max(options.file_size) + kWalBlockSize),
      sync_count_(metrics.counter("adbrook_wal_syncs_total", "Syncs of the write-ahead log.")),
      sync_seconds_(metrics.histogram("adbrook_wal_sync_seconds",
                                      "How long a sync of the write-ahead log takes.",
                                      Histogram::duration_bounds())),
      file_count_(metrics.gauge("adbrook_wal_files",
                                "Write-ahead files that a checkpoint has not freed yet.")) {
  ADBROOK_ASSERT(file_size_ >= 2 * kWalBlockSize, "a write-ahead file holds a header and a group");
}

// What recovery read is on the disk by the checkpoint that follows, so it counts as synced: an
// entry of this process proves nothing about entries of an earlier one.
Result<void> Wal::start(std::uint64_t number, std::uint64_t next_sequence,
                        std::vector<std::uint64_t> spares) {
  next_sequence_ = next_sequence;
  synced_ = next_sequence - 1;
  spares_ = std::move(spares);
  first_live_ = number;
  return begin_file(number);
}

// The size is set at once, so that a sync behind an entry has no size to write down.
Result<std::unique_ptr<io::File>> Wal::make_file(std::uint64_t number) {
  auto file = files_.open(path(number), io::OpenMode::write);
  if (!file) return file;
  auto made = (*file)->allocate(file_size_);
  if (made) made = (*file)->truncate(file_size_);
  // A file of the whole size without a block behind it would break its promise later.
  if (!made) {
    file->reset();
    static_cast<void>(files_.remove(path(number)));
    return pass(std::move(made.error()));
  }
  if (auto done = (*file)->sync(); !done) return pass(std::move(done.error()));
  return file;
}

// A recycled file has all its blocks: overwriting them needs no space and no metadata.
Result<std::unique_ptr<io::File>> Wal::take_file(std::uint64_t number) {
  while (!spares_.empty()) {
    const std::uint64_t spare = spares_.back();
    auto renamed = files_.rename(path(spare), path(number));
    if (!renamed) return pass(std::move(renamed.error()));
    spares_.pop_back();
    auto file = files_.open(path(number), io::OpenMode::write);
    if (!file) return file;
    const auto size = (*file)->size();
    if (!size) return pass(size.error());
    // One of another size was made under other settings.
    if (*size == file_size_) {
      filled_ = file_size_;
      return file;
    }
    file->reset();
    if (auto gone = files_.remove(path(number)); !gone) return pass(std::move(gone.error()));
  }
  filled_ = 0;
  return make_file(number);
}

Result<void> Wal::begin_file(std::uint64_t number) {
  auto file = take_file(number);
  if (!file) return pass(std::move(file.error()));
  // Before anything is acknowledged from this file its name must survive a power loss.
  if (auto done = files_.sync_directory(directory_); !done) return done;
  file_ = std::move(*file);
  place_ = {.file = number, .position = kWalBlockSize};
  header_written_ = false;
  file_count_.set(static_cast<double>(live_count()));
  return {};
}

bool Wal::fits(std::size_t entry_size) const {
  return place_.position + padded(group_.size() + entry_size) <= file_size_;
}

Result<void> Wal::roll() {
  ADBROOK_ASSERT(group_.empty(), "a group does not span files");
  // The header of the next file says that this one is whole on the disk.
  if (!all_synced()) {
    if (auto done = sync(); !done) return done;
  }
  return begin_file(place_.file + 1);
}

void Wal::add(const WalAppend& what) {
  encode_wal_entry(
      group_, {.file_number = place_.file, .sequence = next_sequence_, .synced = synced_}, what);
  ++next_sequence_;
}

Result<void> Wal::fill_ahead(std::uint64_t end) {
  if (end <= filled_ || end - place_.position > kFilledGroupSizeMax || end >= file_size_) return {};
  static const Buffer zeros(kFillSize);
  const std::size_t size = std::min<std::uint64_t>(kFillSize, file_size_ - end);
  filled_ = end + size;
  return file_->write_at(end, ByteView(zeros).first(size));
}

Result<void> Wal::write_group(bool sync_follows) {
  group_.own().resize(group_.own().size() + padded(group_.size()) - group_.size());
  if (!header_written_) {
    // Not when the file is taken: what the header proves is that the first group came to be
    // written, and the file before was synced until then.
    const WalHeader header{.file_number = place_.file, .first_sequence = synced_ + 1};
    if (auto done = file_->write_at(0, encode_wal_header(header)); !done) return done;
    header_written_ = true;
  }
  const std::uint64_t end = place_.position + group_.size();
  ADBROOK_ASSERT(end <= file_size_, "a group fits its file");
  if (auto done = io::write_pieces_at(*file_, place_.position, group_.pieces()); !done) return done;
  if (sync_follows && group_.size() >= kBegunSyncSizeMin)
    io::begin_sync(*file_, place_.position, group_.size());
  if (auto done = fill_ahead(end); !done) return done;
  place_.position = end;
  group_.clear();
  return {};
}

Result<void> Wal::sync() {
  const Nanos begin = clock_.monotonic();
  if (auto done = file_->sync(); !done) return done;
  // No group is open here, so everything that has a sequence was written before this sync.
  synced_ = next_sequence_ - 1;
  sync_count_.add();
  sync_seconds_.observe(std::chrono::duration<double>(clock_.monotonic() - begin).count());
  return {};
}

void Wal::recycle(std::uint64_t file) {
  if (spares_.size() < options_.spare_count_max) {
    spares_.push_back(file);
    return;
  }
  // A left-over costs space only; it is found and used when the log is opened again.
  static_cast<void>(files_.remove(path(file)));
}

void Wal::recycle_before(std::uint64_t file) {
  for (; first_live_ < file; ++first_live_) recycle(first_live_);
  file_count_.set(static_cast<double>(live_count()));
}

}  // namespace adbrook::log
