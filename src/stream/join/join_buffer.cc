#include "stream/join/join_buffer.h"

#include <algorithm>

namespace adbrook::stream {

namespace {

// A row's partners lie in a few buckets, each of which costs a look-up. What spills moves whole
// buckets, so they are smaller then.
constexpr std::int64_t kBucketsPerWindow = 4, kSpilledBucketsPerWindow = 32;
// A slot is what one close() walks over in vain, at most.
constexpr std::int64_t kSlotsPerWindow = 65'536;
// A larger leap of time walks over all that waits instead, once.
constexpr std::int64_t kSlotsPerClose = 4'096;

// The start of a slot of time as a store's key.
class SlotKey {
 public:
  explicit SlotKey(Timestamp start) { store_le(bytes_.data(), start.ms); }
  operator ByteView() const { return bytes_; }

 private:
  std::array<std::byte, sizeof(std::int64_t)> bytes_;
};

constexpr std::array<std::string_view, 2> kSideNames = {"-left", "-right"};

Millis window_of(const JoinBufferOptions& options) {
  return options.before + options.after + options.grace;
}

state::TimeStoreOptions store_options(const JoinBufferOptions& options) {
  const bool spills = options.over_budget == state::OverBudget::spill;
  return {.budget = Bytes{options.budget.count / JoinBuffer::store_count(options.kind)},
          .over_budget = options.over_budget,
          .hash_seed = options.hash_seed,
          .bucket = std::max(Millis(1), window_of(options) / (spills ? kSpilledBucketsPerWindow
                                                                     : kBucketsPerWindow))};
}

}  // namespace

JoinBuffer::JoinBuffer(const JoinBufferOptions& options)
    : options_(options),
      slot_(std::max(Millis(1), window_of(options) / kSlotsPerWindow)),
      sides_{make_side(JoinSide::left), make_side(JoinSide::right)} {}

// What is younger seen from the left is older seen from the right.
JoinBuffer::Side JoinBuffer::make_side(JoinSide side) const {
  const bool left = side == JoinSide::left;
  const state::TimeStoreOptions options = store_options(options_);
  return {.behind = left ? options_.before : options_.after,
          .ahead = left ? options_.after : options_.before,
          .preserved = left ? options_.kind != JoinKind::inner : options_.kind == JoinKind::outer,
          .kept = state::TimeStore(options),
          .waiting = state::TimeStore(options),
          .due = state::TimeStore(options)};
}

// Calls f(store, side's index, suffix of its name); of a side never reported alone only the first.
template <class Self, class F>
void JoinBuffer::for_each_store(Self& self, F f) {
  for (std::size_t i = 0; i < self.sides_.size(); ++i) {
    auto& side = self.sides_[i];
    const std::string name(kSideNames[i]);
    f(side.kept, name);
    if (!side.preserved) continue;
    f(side.waiting, name + "-waiting");
    f(side.due, name + "-due");
  }
}

std::vector<std::string> JoinBuffer::store_names(const std::string& name, JoinKind kind) {
  const JoinBuffer probe({.kind = kind});
  std::vector<std::string> names;
  for_each_store(probe,
                 [&](const auto&, const std::string& suffix) { names.push_back(name + suffix); });
  return names;
}

void JoinBuffer::copy_waiting(const Side& side, ByteView key, Timestamp first, Timestamp last) {
  arena_.clear();
  side.waiting.fetch(key, first, last, [&](Timestamp time, std::uint32_t sequence, ByteView row) {
    const std::size_t begin = arena_.size();
    append(arena_, row);
    copied_.push_back({time, sequence, begin, arena_.size()});
  });
}

void JoinBuffer::move_to_kept(Side& side, ByteView key) {
  for (const Copied& met : copied_) {
    side.waiting.erase(key, met.time, met.sequence);
    side.kept.add(key, met.time, in_arena(met.row_begin, met.row_end));
  }
}

void JoinBuffer::wait(Side& side, ByteView key, Timestamp time, ByteView row) {
  side.waiting.add(key, time, row);
  side.due.add(SlotKey(bucket_start(time, slot_)), time, key);
}

// Walks over the slots between the last watermark and this one.
void JoinBuffer::collect_due(JoinSide side, Timestamp below) {
  const Side& own = side_of(side);
  if (own.waiting.count() == 0) return;
  const Timestamp last = below - Millis(1);
  const auto collect = [&](ByteView key, Timestamp time) {
    const std::size_t begin = arena_.size();
    append(arena_, key);
    due_.push_back({time, side, begin, arena_.size()});
  };
  const Timestamp from = closed_below(own, closed_);
  if ((below - from) / slot_ > kSlotsPerClose)
    return own.waiting.for_each(
        Timestamp::lowest(), last,
        [&](ByteView key, Timestamp time, std::uint32_t, ByteView) { collect(key, time); });
  for (Timestamp slot = bucket_start(from, slot_); slot < below; slot = slot + slot_)
    own.due.fetch(SlotKey(slot), from, last,
                  [&](Timestamp time, std::uint32_t, ByteView key) { collect(key, time); });
}

// Rows of one key and time have one entry each, but are told together.
void JoinBuffer::order_due() {
  const auto key_of = [&](const Due& due) { return as_text(in_arena(due.key_begin, due.key_end)); };
  std::ranges::sort(due_, [&](const Due& a, const Due& b) {
    if (a.time != b.time) return a.time < b.time;
    if (a.side != b.side) return a.side == JoinSide::right;
    return key_of(a) < key_of(b);
  });
  const auto rest = std::ranges::unique(due_, [&](const Due& a, const Due& b) {
    return a.time == b.time && a.side == b.side && key_of(a) == key_of(b);
  });
  due_.erase(rest.begin(), rest.end());
}

void JoinBuffer::expire(Timestamp watermark) {
  closed_ = watermark;
  for (Side& side : sides_)
    for (state::TimeStore* store : {&side.kept, &side.waiting, &side.due})
      store->expire(closed_below(side, watermark));
}

std::size_t JoinBuffer::count() const {
  return sides_[0].kept.count() + sides_[0].waiting.count() + sides_[1].kept.count() +
         sides_[1].waiting.count();
}

Bytes JoinBuffer::memory() const {
  std::int64_t bytes = 0;
  for_each_store(*this,
                 [&](const auto& store, const std::string&) { bytes += store.memory().count; });
  return {bytes +
          static_cast<std::int64_t>(arena_.capacity() + copied_.capacity() * sizeof(Copied) +
                                    due_.capacity() * sizeof(Due))};
}

bool JoinBuffer::full() const {
  bool full = false;
  for_each_store(*this, [&](const auto& store, const std::string&) { full |= store.full(); });
  return full;
}

Result<void> JoinBuffer::trouble() const {
  Result<void> first;
  for_each_store(*this, [&](const auto& store, const std::string&) {
    if (first) first = store.trouble();
  });
  return first;
}

void JoinBuffer::open(state::Checkpoint& checkpoint) {
  for_each_store(*this, [&](auto& store, const std::string&) { store.open(checkpoint); });
}

void JoinBuffer::save(state::Checkpoint& checkpoint, std::string_view name) {
  for_each_store(*this, [&](auto& store, const std::string& suffix) {
    store.save(checkpoint, std::string(name) + suffix);
  });
}

Result<void> JoinBuffer::load(const state::Checkpoint& checkpoint, std::string_view name,
                              Timestamp watermark) {
  closed_ = watermark;
  Result<void> done;
  for_each_store(*this, [&](auto& store, const std::string& suffix) {
    if (done) done = store.load(checkpoint, std::string(name) + suffix);
  });
  return done;
}

}  // namespace adbrook::stream
