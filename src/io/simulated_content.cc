#include "io/simulated_content.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace adbrook::io {
namespace {

std::uint64_t sector_of(std::uint64_t position) { return position / SimulatedContent::kSectorSize; }

}  // namespace

std::uint64_t SimulatedContent::Change::end() const {
  return cuts ? std::max(size_before, position) : position + bytes.size();
}

std::size_t SimulatedContent::read(std::uint64_t position, std::span<std::byte> into) const {
  if (position >= visible_.size()) return 0;
  const std::size_t size = std::min<std::size_t>(into.size(), visible_.size() - position);
  std::copy_n(visible_.begin() + static_cast<std::ptrdiff_t>(position), size, into.begin());
  return size;
}

void SimulatedContent::write(std::uint64_t position, ByteView bytes) {
  if (bytes.empty()) return;
  Change change{position, Buffer(bytes.begin(), bytes.end()), false, visible_.size(), 0};
  apply(visible_, change);
  change.size_after = visible_.size();
  changes_.push_back(std::move(change));
}

void SimulatedContent::truncate(std::uint64_t size) {
  Change change{size, {}, true, visible_.size(), size};
  apply(visible_, change);
  changes_.push_back(std::move(change));
}

void SimulatedContent::sync() {
  for (const Change& change : changes_) apply(durable_, change);
  changes_.clear();
}

void SimulatedContent::fail_sync(Random& random) {
  // Readers keep seeing `visible_`: the kernel marks the pages clean and drops only the promise.
  durable_ = survivors(random);
  changes_.clear();
}

void SimulatedContent::crash(Random& random) {
  durable_ = survivors(random);
  visible_ = durable_;
  changes_.clear();
}

void SimulatedContent::apply(Buffer& to, const Change& change) {
  if (change.cuts) return to.resize(change.position);
  to.resize(std::max<std::size_t>(to.size(), change.end()));
  std::ranges::copy(change.bytes, to.begin() + static_cast<std::ptrdiff_t>(change.position));
}

void SimulatedContent::apply_within(std::span<std::byte> sector, std::uint64_t sector_begin,
                                    const Change& change) {
  const std::uint64_t begin = std::max(change.position, sector_begin);
  const std::uint64_t end = std::min(change.end(), sector_begin + sector.size());
  if (begin >= end) return;
  const auto part = sector.subspan(begin - sector_begin, end - begin);
  if (change.cuts) {
    std::ranges::fill(part, std::byte{0});
  } else {
    std::copy_n(change.bytes.begin() + static_cast<std::ptrdiff_t>(begin - change.position),
                part.size(), part.begin());
  }
}

// Whole outcomes come up often: with many sectors, independent draws would nearly never give them.
Buffer SimulatedContent::survivors(Random& random) const {
  if (changes_.empty()) return durable_;
  switch (random.below(6)) {
    case 0: return durable_;
    case 1: return survivors_in_order(changes_.size(), random);
    case 2: return survivors_in_order(random.below(changes_.size()), random);
    default: return survivors_by_sector(random);
  }
}

// The first changes whole, and of the next one, when it is a write, a part.
Buffer SimulatedContent::survivors_in_order(std::size_t change_count, Random& random) const {
  Buffer left = durable_;
  for (std::size_t i = 0; i < change_count; ++i) apply(left, changes_[i]);
  if (change_count == changes_.size() || changes_[change_count].cuts) return left;
  Change part = changes_[change_count];
  part.bytes.resize(random.below(part.bytes.size() + 1));
  if (!part.bytes.empty()) apply(left, part);
  return left;
}

// Each sector keeps one of its versions, or a mix of two neighbours. Sizes and truncations are
// metadata that a file system journals in order: `change_count` of them are durable.
Buffer SimulatedContent::survivors_by_sector(Random& random) const {
  const std::size_t change_count = random.below(changes_.size() + 1);
  std::map<std::uint64_t, std::vector<std::size_t>> touched;
  std::uint64_t end = durable_.size();
  for (std::size_t i = 0; i < changes_.size(); ++i) {
    end = std::max({end, changes_[i].end(), changes_[i].size_after});
    if (changes_[i].end() <= changes_[i].position) continue;
    const std::uint64_t last = sector_of(changes_[i].end() - 1);
    for (std::uint64_t s = sector_of(changes_[i].position); s <= last; ++s) touched[s].push_back(i);
  }
  // Whole sectors while they are drawn; where nothing survived there are zeros, as in a hole.
  Buffer left = durable_;
  left.resize((sector_of(end) + 1) * kSectorSize);
  for (const auto& [number, changes] : touched) {
    const std::uint64_t begin = number * kSectorSize;
    survive_sector(std::span(left).subspan(begin, kSectorSize), begin, changes, change_count,
                   random);
  }
  left.resize(surviving_size(change_count, random));
  return left;
}

// `changes` are the indices of those that touch this sector. A durable truncation is in each
// version to choose from; one that is not durable, and what was written behind it, is in none.
void SimulatedContent::survive_sector(std::span<std::byte> sector, std::uint64_t sector_begin,
                                      std::span<const std::size_t> changes,
                                      std::size_t change_count, Random& random) const {
  std::size_t least = 0;
  std::size_t most = 0;
  for (; most < changes.size(); ++most) {
    const std::size_t index = changes[most];
    if (changes_[index].cuts && index >= change_count) break;
    if (changes_[index].cuts) least = most + 1;
  }
  const std::size_t kept = least + random.below(most - least + 1);
  for (std::size_t i = 0; i < kept; ++i) apply_within(sector, sector_begin, changes_[changes[i]]);
  if (kept == most || random.below(4) != 0) return;
  std::array<std::byte, kSectorSize> next;
  std::ranges::copy(sector, next.begin());
  apply_within(next, sector_begin, changes_[changes[kept]]);
  const auto cut = static_cast<std::ptrdiff_t>(random.below(kSectorSize + 1));
  if (random.below(2) == 0) {
    std::copy(next.begin(), next.begin() + cut, sector.begin());
  } else {
    std::copy(next.begin() + cut, next.end(), sector.begin() + cut);
  }
}

std::uint64_t SimulatedContent::surviving_size(std::size_t change_count, Random& random) const {
  const std::uint64_t size =
      change_count == 0 ? durable_.size() : changes_[change_count - 1].size_after;
  if (change_count == changes_.size()) return size;
  const Change& next = changes_[change_count];
  if (next.cuts || next.size_after <= size) return size;
  // A file that grows by a long write grows sector by sector, so it may have stopped at any.
  const std::uint64_t growth = random.below(sector_of(next.size_after - size) + 1) * kSectorSize;
  return growth == 0 ? size : std::min(next.size_after, (sector_of(size) * kSectorSize) + growth);
}

}  // namespace adbrook::io
