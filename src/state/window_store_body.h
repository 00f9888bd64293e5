// The members of WindowStore, apart from its contract; included by window_store.h only.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>

namespace adbrook::state {

template <class Row>
WindowRef WindowStore<Row>::add(Timestamp time, const Row& row) {
  Bucket& bucket = buckets_.at(time);
  if (bucket.count == 0) bucket.start = buckets_.start_of(time);
  const std::uint32_t index = bucket.count++;
  if (index % kChunkRows == 0) new_chunk(bucket);
  const auto delta = static_cast<std::uint32_t>((time - bucket.start).count());
  slot_of(bucket, index) = {row, delta, kNone};
  if (bucket.sorted) {
    bucket.late.push_back(window_key(delta, index));
    std::ranges::push_heap(bucket.late, std::greater{});
  }
  bucket.dirty = true;
  ++count_;
  return ref_of(bucket, index);
}

template <class Row>
typename WindowStore<Row>::Slot* WindowStore<Row>::find_slot(Timestamp time, WindowRef ref) const {
  const std::size_t number = ref / kChunkRows;
  if (number >= chunks_.size() || chunks_[number] == nullptr) return nullptr;
  Chunk& chunk = *chunks_[number];
  Slot& slot = chunk.slots[ref % kChunkRows];
  if (slot.children == kTaken || chunk.bucket->start + Millis(slot.delta) != time) return nullptr;
  return &slot;
}

template <class Row>
const Row* WindowStore<Row>::find(Timestamp time, WindowRef ref) const {
  const Slot* slot = find_slot(time, ref);
  return slot == nullptr ? nullptr : &slot->row;
}

template <class Row>
Row* WindowStore<Row>::change(Timestamp time, WindowRef ref) {
  Slot* slot = find_slot(time, ref);
  if (slot == nullptr) return nullptr;
  chunks_[ref / kChunkRows]->bucket->dirty = true;
  return &slot->row;
}

template <class Row>
void WindowStore<Row>::add_child(Timestamp time, WindowRef ref, const WindowChild& child) {
  Slot* slot = find_slot(time, ref);
  ADBROOK_ASSERT(slot != nullptr, "a child is added to a row that is still open");
  chunks_[ref / kChunkRows]->bucket->dirty = true;
  // Only the first one is in its place, so that a row with very many children costs no search.
  if (slot->children == kNone || child < children_[slot->children].child) {
    slot->children = new_child(child, slot->children);
  } else {
    ChildNode& first = children_[slot->children];
    first.next = new_child(child, first.next);
  }
}

template <class Row>
const WindowChild* WindowStore<Row>::first_child(Timestamp time, WindowRef ref) const {
  const Slot* slot = find_slot(time, ref);
  if (slot == nullptr || slot->children == kNone) return nullptr;
  return &children_[slot->children].child;
}

template <class Row>
template <class F>
std::size_t WindowStore<Row>::take_closed(Timestamp limit, F&& f) {
  std::size_t taken = 0;
  while (!buckets_.empty()) {
    const auto first = buckets_.begin();
    Bucket& bucket = first->second;
    if (bucket.start > limit) break;
    if (!bucket.sorted) sort(bucket);
    const std::uint32_t taken_before = bucket.taken;
    while (bucket.taken < bucket.count) {
      const WindowKey key = next_key(bucket);
      const Timestamp time = bucket.start + Millis(delta_of(key));
      if (time > limit) break;
      pop_key(bucket);
      Slot& slot = slot_of(bucket, index_of(key));
      collect_children(slot);
      slot.children = kTaken;
      ++bucket.taken;
      f(time, ref_of(bucket, index_of(key)), std::as_const(slot.row),
        std::span<const WindowChild>(collected_));
    }
    taken += bucket.taken - taken_before;
    bucket.dirty |= bucket.taken != taken_before;
    if (bucket.taken < bucket.count) break;
    free_bucket(bucket);
    buckets_.erase(first);
  }
  count_ -= taken;
  return taken;
}

template <class Row>
void WindowStore<Row>::sort(Bucket& bucket) {
  bucket.order = std::move(spare_order_);
  bucket.order.clear();
  for (std::uint32_t index = 0; index < bucket.count; ++index) {
    const Slot& slot = slot_of(bucket, index);
    if (slot.children != kTaken) bucket.order.push_back(window_key(slot.delta, index));
  }
  sort_window_keys(bucket.order, scratch_);
  bucket.sorted = true;
}

template <class Row>
WindowKey WindowStore<Row>::next_key(const Bucket& bucket) {
  constexpr WindowKey kLast = ~WindowKey{0};
  const std::size_t next = bucket.order_next;
  if (next + kAhead < bucket.order.size()) {
    const Slot& ahead = slot_of(bucket, index_of(bucket.order[next + kAhead]));
    __builtin_prefetch(&ahead);
    __builtin_prefetch(&ahead.children, 1);
  }
  const WindowKey in_order = next < bucket.order.size() ? bucket.order[next] : kLast;
  return bucket.late.empty() ? in_order : std::min(in_order, bucket.late.front());
}

template <class Row>
void WindowStore<Row>::pop_key(Bucket& bucket) {
  const bool from_late =
      !bucket.late.empty() && (bucket.order_next == bucket.order.size() ||
                               bucket.late.front() < bucket.order[bucket.order_next]);
  if (!from_late) {
    ++bucket.order_next;
    return;
  }
  std::ranges::pop_heap(bucket.late, std::greater{});
  bucket.late.pop_back();
}

template <class Row>
void WindowStore<Row>::collect_children(Slot& slot) {
  collected_.clear();
  for (std::uint32_t at = slot.children; at != kNone;) {
    ChildNode& node = children_[at];
    collected_.push_back(node.child);
    const std::uint32_t next = std::exchange(node.next, free_child_);
    free_child_ = std::exchange(at, next);
  }
  std::ranges::sort(collected_);
}

template <class Row>
std::uint32_t WindowStore<Row>::new_child(const WindowChild& child, std::uint32_t next) {
  std::uint32_t at = free_child_;
  if (at != kNone) {
    free_child_ = children_[at].next;
  } else {
    at = static_cast<std::uint32_t>(children_.add());
    ADBROOK_ASSERT(at < kTaken, "a window store has fewer than 2^32 children");
  }
  children_[at] = {child, next};
  return at;
}

template <class Row>
typename WindowStore<Row>::Chunk* WindowStore<Row>::new_chunk(Bucket& bucket) {
  for (auto* numbers : {&spare_chunks_, &free_numbers_}) {
    if (numbers->empty()) continue;
    const std::uint32_t number = numbers->back();
    numbers->pop_back();
    return place_chunk(number, bucket);
  }
  ADBROOK_ASSERT(chunks_.size() <= kChunkNumberMax, "a window store has fewer than 2^32 rows");
  chunks_.emplace_back();
  return place_chunk(static_cast<std::uint32_t>(chunks_.size() - 1), bucket);
}

template <class Row>
typename WindowStore<Row>::Chunk* WindowStore<Row>::place_chunk(std::uint32_t number,
                                                                Bucket& bucket) {
  auto& chunk = chunks_[number];
  if (chunk == nullptr) chunk = std::make_unique_for_overwrite<Chunk>();
  chunk->bucket = &bucket;
  chunk->number = number;
  for (Slot& slot : chunk->slots) slot.children = kTaken;
  bucket.chunks.push_back(chunk.get());
  return chunk.get();
}

// Keeps a few chunks, so that a steady stream allocates nothing.
template <class Row>
void WindowStore<Row>::free_bucket(Bucket& bucket) {
  const std::size_t live = chunks_.size() - spare_chunks_.size() - free_numbers_.size();
  const std::size_t spare_max = kSpareChunksMin + (live - bucket.chunks.size()) / 8;
  for (const Chunk* chunk : bucket.chunks) {
    const std::uint32_t number = chunk->number;
    if (spare_chunks_.size() < spare_max) {
      spare_chunks_.push_back(number);
    } else {
      chunks_[number].reset();
      free_numbers_.push_back(number);
    }
  }
  spare_order_ = std::move(bucket.order);
}

template <class Row>
Bytes WindowStore<Row>::memory() const {
  std::size_t bytes = chunks_.capacity() * sizeof(chunks_[0]);
  bytes += (chunks_.size() - free_numbers_.size()) * (sizeof(Chunk) + kAllocationHead);
  bytes += (spare_chunks_.capacity() + free_numbers_.capacity()) * sizeof(std::uint32_t);
  bytes += (scratch_.capacity() + spare_order_.capacity()) * sizeof(WindowKey);
  bytes += children_.memory() + collected_.capacity() * sizeof(WindowChild);
  bytes += buckets_.node_bytes();
  for (const auto& [start, bucket] : buckets_) {
    bytes += bucket.chunks.capacity() * sizeof(Chunk*) + kAllocationHead;
    bytes += (bucket.order.capacity() + bucket.late.capacity()) * sizeof(WindowKey);
  }
  return {static_cast<std::int64_t>(bytes)};
}

template <class Row>
void WindowStore<Row>::save(Checkpoint& checkpoint, std::string_view name) {
  Buffer meta;
  append_le(meta, kStoreVersion);
  append_le(meta, static_cast<std::uint32_t>(sizeof(Slot)));
  append_le(meta, static_cast<std::int64_t>(buckets_.bucket_size().count()));
  append_le(meta, static_cast<std::uint32_t>(buckets_.size()));
  std::set<std::string> kept{blob_name(name, "meta")};
  for (auto& [start, bucket] : buckets_) {
    append_le(meta, start.ms);
    append_le(meta, bucket.count);
    const std::string blob = blob_name(name, std::to_string(start.ms));
    if (bucket.dirty || !checkpoint.size(blob)) checkpoint.replace(blob, encode(bucket));
    bucket.dirty = false;
    kept.insert(blob);
  }
  checkpoint.replace(blob_name(name, "meta"), meta);
  checkpoint.drop_others(name, kept);
}

// The chunk numbers, the slots as they lie in memory, then for each slot with children their count
// and themselves, the first one first.
template <class Row>
Buffer WindowStore<Row>::encode(const Bucket& bucket) const {
  Buffer bytes;
  bytes.reserve(bucket.chunks.size() * (sizeof(std::uint32_t) + sizeof(Chunk)));
  for (const Chunk* chunk : bucket.chunks) append_le(bytes, chunk->number);
  for (std::uint32_t index = 0; index < bucket.count; index += kChunkRows) {
    const auto rows = std::min<std::size_t>(kChunkRows, bucket.count - index);
    append(bytes, bytes_of(&slot_of(bucket, index), rows));
  }
  for (std::uint32_t index = 0; index < bucket.count; ++index) {
    const std::uint32_t first = slot_of(bucket, index).children;
    if (first == kNone || first == kTaken) continue;
    const std::size_t count_at = bytes.size();
    append_le(bytes, std::uint32_t{0});
    std::uint32_t count = 0;
    for (std::uint32_t at = first; at != kNone; at = children_[at].next, ++count) {
      append(bytes, bytes_of(&children_[at].child, 1));
    }
    store_le(bytes.data() + count_at, count);
  }
  return bytes;
}

template <class Row>
Result<void> WindowStore<Row>::load(const Checkpoint& checkpoint, std::string_view name) {
  const auto meta = checkpoint.read(blob_name(name, "meta"));
  if (!meta) return pass(meta.error());
  BlobReader reader(*meta);
  const bool known = reader.number<std::uint32_t>() == kStoreVersion &&
                     reader.number<std::uint32_t>() == sizeof(Slot);
  const Millis size{reader.number<std::int64_t>()};
  const auto bucket_count = reader.number<std::uint32_t>();
  if (!known || size.count() <= 0 || size.count() > 0xFFFFFFFFll) {
    return unreadable_blob(name, "meta");
  }
  clear(size);
  for (std::uint32_t i = 0; i < bucket_count; ++i) {
    const Timestamp start{reader.number<std::int64_t>()};
    const auto count = reader.number<std::uint32_t>();
    if (!reader.good() || count == 0 || buckets_.start_of(start) != start) {
      return unreadable_blob(name, "meta");
    }
    const std::string blob = blob_name(name, std::to_string(start.ms));
    const auto bytes = checkpoint.read(blob);
    if (!bytes) return pass(bytes.error());
    Bucket& bucket = buckets_.at(start);
    bucket.start = start;
    if (!decode(*bytes, bucket, count)) return unreadable_blob(name, blob);
  }
  if (!reader.ended_well()) return unreadable_blob(name, "meta");
  for (std::uint32_t number = 0; number < chunks_.size(); ++number) {
    if (chunks_[number] == nullptr) free_numbers_.push_back(number);
  }
  return {};
}

template <class Row>
bool WindowStore<Row>::decode(ByteView bytes, Bucket& bucket, std::uint32_t count) {
  BlobReader reader(bytes);
  const std::uint64_t chunk_count = (std::uint64_t{count} + kChunkRows - 1) / kChunkRows;
  for (std::uint64_t i = 0; i < chunk_count; ++i) {
    const auto number = reader.number<std::uint32_t>();
    if (!reader.good() || number > kChunkNumberMax) return false;
    if (number >= chunks_.size()) chunks_.resize(number + std::size_t{1});
    if (chunks_[number] != nullptr) return false;
    place_chunk(number, bucket);
  }
  const ByteView slots = reader.bytes(std::uint64_t{count} * sizeof(Slot));
  if (!reader.good()) return false;
  for (std::uint32_t index = 0; index < count; ++index) {
    Slot& slot = slot_of(bucket, index);
    std::memcpy(static_cast<void*>(&slot), slots.data() + index * sizeof(Slot), sizeof(Slot));
    if (slot.delta >= buckets_.bucket_size().count()) return false;
    bucket.taken += slot.children == kTaken ? 1 : 0;
  }
  bucket.count = count;
  for (std::uint32_t index = 0; index < count; ++index) {
    Slot& slot = slot_of(bucket, index);
    const bool has_children = slot.children != kNone && slot.children != kTaken;
    if (has_children && !decode_children(reader, slot)) return false;
  }
  bucket.dirty = false;
  count_ += bucket.count - bucket.taken;
  return reader.ended_well();
}

template <class Row>
bool WindowStore<Row>::decode_children(BlobReader& reader, Slot& slot) {
  const auto count = reader.number<std::uint32_t>();
  std::uint32_t* end = &slot.children;
  *end = kNone;
  for (std::uint32_t i = 0; i < count; ++i) {
    const ByteView raw = reader.bytes(sizeof(WindowChild));
    if (!reader.good()) return false;
    WindowChild child;
    std::memcpy(static_cast<void*>(&child), raw.data(), sizeof child);
    *end = new_child(child, kNone);
    end = &children_[*end].next;
  }
  return reader.good() && count > 0;
}

template <class Row>
void WindowStore<Row>::clear(Millis bucket_size) {
  buckets_ = TimeBuckets<Bucket>(bucket_size);
  chunks_.clear();
  spare_chunks_.clear();
  free_numbers_.clear();
  children_.clear();
  free_child_ = kNone;
  count_ = 0;
}

}  // namespace adbrook::state
