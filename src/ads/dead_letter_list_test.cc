#include "ads/dead_letter_list.h"

#include <gtest/gtest.h>

#include "ads/dead_letter.h"
#include "io/simulated_executor.h"
#include "stream/memory_bus.h"

namespace adbrook::ads {
namespace dead_letter_list_test {

// Dead letters in a topic of two partitions.
class Bed {
 public:
  Bed() : executor_(1), bus_(executor_, executor_.clock()), search_(bus_, executor_) {
    bus_.create_topic(std::string(kDeadLettersTopic), 2);
  }

  Uuid add(std::int64_t place, std::string_view reason, ByteView bytes,
           std::int32_t partition = 0) {
    const DeadLetter letter{.source = "clicks-0",
                            .place = place,
                            .reason = reason,
                            .field = "uuid",
                            .detail = "why",
                            .bytes = bytes};
    Buffer value;
    encode(letter, value);
    const Uuid id = dead_letter_id(letter);
    record::BatchBuilder builder;
    const std::string key = id.to_string();
    builder.add({1}, as_bytes(key), value);
    bus_.append({std::string(kDeadLettersTopic), partition}, builder.finish());
    executor_.advance(Millis(10));
    return id;
  }

  // What a redrive appends behind its letter.
  void mark(Uuid letter, Uuid event, std::int32_t partition = 0) {
    Buffer value;
    encode(DeadLetterRedrive{kImpressionsTopic, event}, value);
    record::BatchBuilder builder;
    const std::string key = letter.to_string();
    builder.add({1}, as_bytes(key), value);
    bus_.append({std::string(kDeadLettersTopic), partition}, builder.finish());
    executor_.advance(Millis(10));
  }

  DeadLettersWithBytes bytes(DeadLetterQuery query) {
    std::optional<Result<DeadLettersWithBytes>> got;
    dead_letter_bytes(search_, std::move(query),
                      [&](Result<DeadLettersWithBytes> r) { got.emplace(std::move(r)); });
    executor_.run_until_idle();
    EXPECT_TRUE(got && *got);
    return std::move(**got);
  }

  DeadLetterList list(DeadLetterQuery query) {
    std::optional<Result<DeadLetterList>> got;
    dead_letter_list(search_, std::move(query),
                     [&](Result<DeadLetterList> list) { got.emplace(std::move(list)); });
    executor_.run_until_idle();
    EXPECT_TRUE(got && *got);
    return std::move(**got);
  }
  Result<DeadLetterWithBytes> show(Uuid id) {
    std::optional<Result<DeadLetterWithBytes>> got;
    dead_letter(search_, id,
                [&](Result<DeadLetterWithBytes> letter) { got.emplace(std::move(letter)); });
    executor_.run_until_idle();
    return std::move(*got);
  }

  // Each is asked for when the one before is answered; how many came.
  int show_in_turn(Uuid id, int count) {
    int shown = 0;
    std::function<void()> next = [&] {
      dead_letter(search_, id, [&](Result<DeadLetterWithBytes> letter) {
        if (letter && ++shown < count) next();
      });
    };
    for (int i = 1; i < EventSearch::kSearchCountMax; ++i) held_.push_back(*search_.begin());
    next();
    executor_.run_until_idle();
    held_.clear();
    return shown;
  }

 private:
  std::vector<std::shared_ptr<void>> held_;  // places of other searches
  io::SimulatedExecutor executor_;
  stream::MemoryBus bus_;
  EventSearch search_;
};

std::vector<std::int64_t> places(const DeadLetterList& list) {
  std::vector<std::int64_t> places;
  for (const DeadLetterEntry& entry : list.entries) places.push_back(entry.place);
  return places;
}

TEST(DeadLetterList, groups_by_reason_and_counts_the_same_letter_once) {
  Bed bed;
  bed.add(1, "bad_uuid", as_bytes("a"));
  bed.add(2, "bad_time", as_bytes("b"));
  bed.add(3, "bad_uuid", as_bytes("c"), 1);
  bed.add(3, "bad_uuid", as_bytes("c"), 1);
  const DeadLetterList list = bed.list({});
  ASSERT_EQ(list.groups.size(), 2u);
  EXPECT_EQ(list.groups[0].reason, "bad_uuid");
  EXPECT_EQ(list.groups[0].count, 2);
  EXPECT_EQ(list.groups[0].first.place, 1);
  EXPECT_EQ(list.groups[0].last.place, 3);
  EXPECT_EQ(places(list), (std::vector<std::int64_t>{3, 2, 1}));
  EXPECT_FALSE(list.more);
}

TEST(DeadLetterList, pages_go_on_where_the_last_one_ended) {
  Bed bed;
  for (std::int64_t i = 1; i <= 7; ++i)
    bed.add(i, i % 2 == 0 ? "even" : "odd", as_bytes("x"), static_cast<std::int32_t>(i % 2));
  EXPECT_EQ(places(bed.list({.limit = 3})), (std::vector<std::int64_t>{7, 6, 5}));
  EXPECT_TRUE(bed.list({.limit = 3}).more);
  EXPECT_EQ(places(bed.list({.skip = 3, .limit = 3})), (std::vector<std::int64_t>{4, 3, 2}));
  EXPECT_EQ(places(bed.list({.skip = 6, .limit = 3})), (std::vector<std::int64_t>{1}));
  EXPECT_FALSE(bed.list({.skip = 4, .limit = 3}).more);
  EXPECT_EQ(places(bed.list({.reason = "even"})), (std::vector<std::int64_t>{6, 4, 2}));
  EXPECT_EQ(places(bed.list({.order = ListOrder::oldest_first, .skip = 1, .limit = 2})),
            (std::vector<std::int64_t>{2, 3}));
}

TEST(DeadLetterList, one_letter_is_shown_with_its_bytes) {
  Bed bed;
  const Uuid text = bed.add(1, "bad_uuid", as_bytes("{\"uuid\":\"x\"}"));
  const Uuid binary = bed.add(2, "unreadable", as_bytes("\xff\x01"), 1);
  EXPECT_EQ(as_text(bed.show(text)->bytes), "{\"uuid\":\"x\"}");
  EXPECT_EQ(as_text(bed.show(binary)->bytes), "\xff\x01");
  const auto absent = bed.show({1, 2});
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().kind, ErrorKind::not_found);
}

TEST(DeadLetterList, what_was_sent_again_says_so_and_stays) {
  Bed bed;
  const Uuid first = bed.add(1, "bad_uuid", as_bytes("a"));
  bed.add(2, "bad_uuid", as_bytes("b"));
  const Uuid other = bed.add(3, "bad_time", as_bytes("c"), 1);
  bed.mark(first, {1, 1});
  bed.mark(first, {2, 2});
  bed.mark(other, {3, 3}, 1);
  bed.mark({9, 9}, {4, 4});  // of a letter that is not there
  const DeadLetterList list = bed.list({});
  ASSERT_EQ(list.groups.size(), 2u);
  EXPECT_EQ(list.groups[0].count, 2);
  EXPECT_EQ(list.groups[0].sent_again, 1);
  EXPECT_EQ(list.groups[1].sent_again, 1);
  ASSERT_EQ(list.entries.size(), 3u);
  EXPECT_FALSE(list.entries[1].sent_again);
  ASSERT_TRUE(list.entries[2].sent_again);
  EXPECT_EQ(list.entries[2].sent_again->count, 2);
  EXPECT_EQ(list.entries[2].sent_again->event, (Uuid{2, 2}));
  EXPECT_EQ(list.entries[2].sent_again->topic, kImpressionsTopic);
  EXPECT_EQ(bed.show(other)->entry.sent_again->event, (Uuid{3, 3}));
}

TEST(DeadLetterList, many_are_given_with_their_bytes_as_long_as_these_fit) {
  Bed bed;
  const Buffer large(kShownBytesMax / 2, std::byte{'x'});
  for (std::int64_t i = 1; i <= 3; ++i) bed.add(i, "unreadable", large);
  bed.add(4, "unreadable", as_bytes("small"));
  const auto shown = bed.bytes({.order = ListOrder::oldest_first});
  ASSERT_EQ(shown.letters.size(), 2u);
  EXPECT_EQ(shown.letters[1].entry.place, 2);
  EXPECT_TRUE(shown.more);
  const auto rest = bed.bytes({.order = ListOrder::oldest_first, .skip = 2});
  ASSERT_EQ(rest.letters.size(), 2u);
  EXPECT_EQ(as_text(rest.letters[1].bytes), "small");
  EXPECT_FALSE(rest.more);
}

TEST(DeadLetterList, the_first_of_a_page_is_given_also_when_larger_ones_lie_before_it) {
  Bed bed;
  const Buffer large(kShownBytesMax / 2 + 1, std::byte{'x'});
  bed.add(1, "unreadable", large, 1);
  bed.add(2, "unreadable", large, 0);  // found first
  const auto shown = bed.bytes({.order = ListOrder::oldest_first});
  ASSERT_EQ(shown.letters.size(), 1u);
  EXPECT_EQ(shown.letters[0].entry.place, 1);
  EXPECT_TRUE(shown.more);
}

TEST(DeadLetterList, a_page_begins_behind_a_place_whatever_came_since) {
  Bed bed;
  for (std::int64_t i = 1; i <= 5; ++i) bed.add(i, "odd", as_bytes("x"), i % 2 == 0 ? 1 : 0);
  for (const ListOrder order : {ListOrder::oldest_first, ListOrder::newest_first}) {
    const auto first = bed.list({.order = order, .limit = 2});
    const DeadLetterEntry& last = first.entries.at(1);
    bed.add(order == ListOrder::oldest_first ? 6 : 7, "odd", as_bytes("x"));
    const auto next =
        bed.list({.order = order, .limit = 2, .after = DeadLetterPlace{last.append_time, last.id}});
    const bool oldest = order == ListOrder::oldest_first;
    EXPECT_EQ(places(next),
              (oldest ? std::vector<std::int64_t>{3, 4} : std::vector<std::int64_t>{4, 3}));
    EXPECT_TRUE(next.more);
  }
  const auto asked =
      parse_dead_letter_query({.after = "1700000000000.0f7e1c2a-9b3d-4e5f-8a6b-7c8d9e0f1a2b"});
  ASSERT_TRUE(asked && asked->after);
  EXPECT_EQ(asked->after->append_time.ms, 1'700'000'000'000);
  EXPECT_EQ(asked->after->id.to_string(), "0f7e1c2a-9b3d-4e5f-8a6b-7c8d9e0f1a2b");
  for (const char* wrong : {"x", "1", "1.", ".0f7e1c2a-9b3d-4e5f-8a6b-7c8d9e0f1a2b", "1.2.3"})
    EXPECT_FALSE(parse_dead_letter_query({.after = wrong})) << wrong;
}

TEST(DeadLetterList, letters_may_be_shown_one_after_the_other) {
  Bed bed;
  const Uuid id = bed.add(1, "bad_uuid", as_bytes("x"));
  EXPECT_EQ(bed.show_in_turn(id, EventSearch::kSearchCountMax * 3),
            EventSearch::kSearchCountMax * 3);
}

TEST(DeadLetterList, wrong_words_are_refused) {
  EXPECT_FALSE(parse_dead_letter_query({.order = "random"}));
  EXPECT_FALSE(parse_dead_letter_query({.limit = "-1"}));
  EXPECT_FALSE(parse_dead_letter_query({.skip = "9999", .limit = "9999"}));
  const auto query = parse_dead_letter_query({.order = "oldest", .skip = "5"});
  ASSERT_TRUE(query) << query.error().message;
  EXPECT_EQ(query->order, ListOrder::oldest_first);
  EXPECT_EQ(query->skip, 5u);
}

}  // namespace dead_letter_list_test
}  // namespace adbrook::ads
