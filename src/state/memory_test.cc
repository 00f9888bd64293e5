// What the stores say about their memory, against what the allocator gave: every allocation of this
// test program is counted.
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdlib>
#include <new>
#include <string>

#include "state/cells.h"
#include "state/dictionary.h"
#include "state/key_value_store.h"
#include "state/pending_store.h"
#include "state/seen_store.h"
#include "state/store_test.h"
#include "state/time_store.h"
#include "state/window_store.h"

namespace {

constexpr std::size_t kAllocationHead = 8;
thread_local std::int64_t allocated_bytes = 0;
thread_local std::int64_t allocation_count = 0;

}  // namespace

// AddressSanitizer has an allocator of its own, which gives other sizes.
#ifdef __SANITIZE_ADDRESS__
constexpr bool kIsCounted = false;
#else
constexpr bool kIsCounted = true;

// Not inlined, so that gcc does not take the pair of malloc and free for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  void* at = nullptr;
  if (posix_memalign(&at, static_cast<std::size_t>(alignment), size) != 0) std::abort();
  allocated_bytes += static_cast<std::int64_t>(malloc_usable_size(at) + kAllocationHead);
  ++allocation_count;
  return at;
}
void* operator new(std::size_t size) { return operator new(size, std::align_val_t{16}); }
[[gnu::noinline]] void operator delete(void* at) noexcept {
  if (at == nullptr) return;
  allocated_bytes -= static_cast<std::int64_t>(malloc_usable_size(at) + kAllocationHead);
  std::free(at);
}
void operator delete(void* at, std::size_t) noexcept { operator delete(at); }
void operator delete(void* at, std::align_val_t) noexcept { operator delete(at); }
void operator delete(void* at, std::size_t, std::align_val_t) noexcept { operator delete(at); }
#endif

namespace adbrook::state {
namespace memory_test {

struct Row {
  std::uint64_t words[8];
};
constexpr std::array kRules{Combine::sum, Combine::sum, Combine::exclusive_or};

// Runs `fill` on a store and compares what it says with what was allocated since before it existed.
template <class Make, class Fill>
void compare(Make make, Fill fill) {
  if (!kIsCounted) GTEST_SKIP() << "AddressSanitizer allocates otherwise";
  const std::int64_t before = allocated_bytes;
  auto store = make();
  for (int round = 0; round < 5; ++round) {
    fill(store, round);
    const auto actual = static_cast<double>(allocated_bytes - before);
    EXPECT_NEAR(static_cast<double>(store.memory().count) / actual, 1.0, 0.03) << actual;
  }
}

TEST(Memory, a_seen_store_says_what_it_uses) {
  compare([] { return SeenStore({.horizon = Millis(100'000)}); },
          [](SeenStore& store, int round) {
            const Timestamp now{round * 50'000};
            store.expire(now);
            for (int n = 0; n < 100'000; ++n) {
              const auto id = test_id(static_cast<std::uint64_t>(round * 100'000 + n));
              store.find_or_insert(id, now + Millis(n / 2), now);
            }
          });
}

TEST(Memory, a_key_value_store_says_what_it_uses) {
  compare([] { return KeyValueStore(); },
          [](KeyValueStore& store, int round) {
            for (int n = 0; n < 100'000; ++n) {
              const std::string key = "key " + std::to_string(round % 3 * 70'000 + n);
              store.upsert(as_bytes(key), static_cast<std::size_t>(8 + n % 50));
              if (n % 3 == 0) store.erase(as_bytes(key));
            }
          });
}

TEST(Memory, a_time_store_says_what_it_uses) {
  compare([] { return TimeStore({.bucket = Millis(10'000)}); },
          [](TimeStore& store, int round) {
            for (int n = 0; n < 100'000; ++n) {
              const Timestamp time{round * 100'000 + n};
              store.add(as_bytes(std::to_string(n % 5'000)), time, as_bytes("a value"));
            }
            store.expire({round * 100'000 - 50'000});
          });
}

TEST(Memory, a_window_store_says_what_it_uses) {
  compare([] { return WindowStore<Row>(Millis(1000)); },
          [](WindowStore<Row>& store, int round) {
            for (int n = 0; n < 50'000; ++n) {
              const Timestamp time{round * 50'000 + n};
              const WindowRef ref = store.add(time, {});
              if (n % 50 == 0) store.add_child(time, ref, {time, test_id(1)});
            }
            store.take_closed(Timestamp{round * 50'000},
                              [](Timestamp, WindowRef, const Row&, auto) {});
          });
}

TEST(Memory, a_pending_store_says_what_it_uses) {
  compare([] { return PendingStore(); },
          [](PendingStore& store, int round) {
            const std::string payload(170, 'x');
            for (int n = 0; n < 20'000; ++n) {
              const int number = round * 20'000 + n;
              store.add(test_id(static_cast<std::uint64_t>(number / 2)), Timestamp{number},
                        as_bytes(payload));
            }
            store.take_passed(Timestamp{round * 20'000}, [](Uuid, Timestamp, ByteView) {});
          });
}

TEST(Memory, a_dictionary_says_what_it_uses) {
  compare([] { return Dictionary(); },
          [](Dictionary& dictionary, int round) {
            for (int n = 0; n < 20'000; ++n) {
              dictionary.intern("campaign " + std::to_string(round * 20'000 + n));
            }
          });
}

TEST(Memory, cells_say_what_they_use) {
  compare([] { return Cells<kRules>({.dimensions = 3}); },
          [](Cells<kRules>& cells, int round) {
            for (std::uint32_t n = 0; n < 50'000; ++n) {
              const Timestamp time{(round * 50'000 + n) * 1000ll};
              cells.add(time, {{n % 7, n % 11, n % 13}}, {1, 1, 1});
            }
            cells.advance(Timestamp{round * 50'000'000ll + 300'000'000});
          });
}

// The steady state of a join: ids come, rows open and close, children wait, cells are hit.
TEST(Memory, a_steady_stream_hardly_allocates) {
  if (!kIsCounted) GTEST_SKIP() << "AddressSanitizer allocates otherwise";
  SeenStore seen({.horizon = Millis(100'000)});
  WindowStore<Row> window(Millis(1000));
  PendingStore pending;
  Cells<kRules> cells(
      {.dimensions = 2,
       .tiers = {{std::chrono::minutes(1), Millis(0)}, {std::chrono::hours(24), Millis(0)}}});
  std::int64_t allocations_before = 0;
  constexpr int kEvents = 2'000'000, kWarmUp = 1'000'000;
  for (int n = 0; n < kEvents; ++n) {
    if (n == kWarmUp) allocations_before = allocation_count;
    const Timestamp now{n / 4};
    const Uuid id = test_id(static_cast<std::uint64_t>(n));
    seen.find_or_insert(id, now, now);
    window.add(now, {});
    if (n % 50 == 0) pending.add(id, now + Millis(500), as_bytes("a child"));
    cells.add(now, {{static_cast<std::uint32_t>(n % 100), 1}}, {1, 1, 1});
    if (n % 1024 != 0) continue;
    seen.expire(now);
    window.take_closed(now - Millis(20'000), [](Timestamp, WindowRef, const Row&, auto) {});
    pending.take_passed(now, [](Uuid, Timestamp, ByteView) {});
    cells.advance(now);
  }
  EXPECT_LT(allocation_count - allocations_before, (kEvents - kWarmUp) / 200);
}

}  // namespace memory_test
}  // namespace adbrook::state
