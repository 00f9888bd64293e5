// What could not be read as an event, for people: grouped by reason, page by page, and one by one
// with its original bytes. Read from the topic `dead-letters`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ads/event_search.h"
#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "serde/json_writer.h"

namespace adbrook::ads {

// That a letter was sent again as an event; of several times the last one.
struct SentAgain {
  std::int64_t count = 0;
  Timestamp append_time;
  std::string topic;
  Uuid event;
};

// One dead letter without its bytes.
struct DeadLetterEntry {
  Uuid id;
  std::string source;      // "clicks-2", "GET /v1/click" or a file
  std::int64_t place = 0;  // offset or line; 0 = none
  Timestamp append_time;
  std::string reason;
  std::string field;  // empty = none
  std::string detail;
  std::int64_t size = 0;  // of its bytes
  std::optional<SentAgain> sent_again;
};

// All dead letters of one reason. The same letter from the same place counts once.
struct DeadLetterGroup {
  std::string reason;
  std::int64_t count = 0;
  std::int64_t sent_again = 0;  // how many of them
  DeadLetterEntry first;        // by append time
  DeadLetterEntry last;
};

enum class ListOrder { newest_first, oldest_first };

// Where a page ended: the next one begins behind it, whatever has come since.
struct DeadLetterPlace {
  Timestamp append_time;
  Uuid id;
};

struct DeadLetterQuery {
  std::string reason;  // empty: all
  ListOrder order = ListOrder::newest_first;
  std::size_t skip = 0;
  std::size_t limit = 20;
  std::optional<DeadLetterPlace> after;
};

struct DeadLetterList {
  std::vector<DeadLetterGroup> groups;  // of all reasons, most first; the filter is for entries
  std::vector<DeadLetterEntry> entries;
  bool more = false;  // behind the last entry
};

struct DeadLetterWithBytes {
  DeadLetterEntry entry;
  Buffer bytes;
};

struct DeadLettersWithBytes {
  std::vector<DeadLetterWithBytes> letters;
  bool more = false;
};

inline constexpr std::size_t kShownBytesMax = std::size_t{16} << 20;
inline constexpr std::size_t kListedLettersMax = 10'000;       // skip + limit; `after` has no end
inline constexpr std::size_t kLetterGroupCountMax = 256;       // the rest is grouped as "other"
inline constexpr std::size_t kDistinctLettersMax = 1'000'000;  // above, copies count again

// The texts of a request; empty means not given.
struct DeadLetterRequest {
  std::string reason;
  std::string order;  // newest | oldest
  std::string skip;
  std::string limit;
  std::string after;  // "<ms since 1970>.<id>", as `next` of the page before
};
// invalid: names the parameter and what is allowed.
Result<DeadLetterQuery> parse_dead_letter_query(const DeadLetterRequest& request);

void dead_letter_list(EventSearch& search, DeadLetterQuery query, Answer<DeadLetterList> answer);
// not_found when no letter has this id.
void dead_letter(EventSearch& search, Uuid id, Answer<DeadLetterWithBytes> answer);
// As dead_letter_list() with the bytes of the entries, as long as these are at most
// kShownBytesMax together; the list ends before those that would be more, but never before its
// first.
void dead_letter_bytes(EventSearch& search, DeadLetterQuery query,
                       Answer<DeadLettersWithBytes> answer);

std::string to_json(const DeadLetterList& list);
// For those who write an entry with its bytes: the members of an open object.
void write_members(serde::JsonWriter& json, const DeadLetterEntry& entry);
// `more` and `next`, the place of `last`; null where nothing follows.
void write_more(serde::JsonWriter& json, bool more, const DeadLetterEntry* last);

}  // namespace adbrook::ads
