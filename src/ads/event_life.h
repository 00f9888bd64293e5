// The whole life of one event: where its copies came in, how each ended and why, what it was
// joined with, and the report cells it counts in. Read from the topics, not from the tasks' state.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ads/event_search.h"
#include "ads/views.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"

namespace adbrook::ads {

struct LogPlace {
  std::string topic;
  std::int32_t partition = 0;
  Offset offset;
  friend auto operator<=>(const LogPlace&, const LogPlace&) = default;
};

// Words beside those of stream::Outcome for copies that have not ended yet.
inline constexpr std::string_view kPending = "pending";  // processed, waits for its impression
inline constexpr std::string_view kWaiting = "waiting";  // no task has processed it yet

struct EventCopy {
  LogPlace place;
  Timestamp append_time;
  std::optional<Timestamp> timestamp;  // absent when the value cannot be read
  std::string outcome;
  std::string reason;                  // empty = none
  std::optional<bus::Partition> sent;  // the internal topic that took it to another task
  std::optional<Uuid> dead_letter;     // of a rejected copy
};

// The impression that a click names.
struct ImpressionOfClick {
  Uuid id;
  std::optional<Timestamp> timestamp;  // absent when nothing is known of it
  std::string outcome;                 // empty when no copy of it is kept
  std::string reason;
  std::optional<Millis> delay;  // from it to the click
};

struct JoinedClick {
  Uuid id;
  Timestamp timestamp;
  Millis delay;
};

// One cell per view, at the view's finest bucket; old cells are kept in larger ones.
struct EventCell {
  std::size_t view_index;
  Timestamp bucket;
  std::vector<std::string> key;  // in the order of ViewDeclaration::key()
};

// What is known under one id as one kind of event.
struct EventOfKind {
  std::string_view kind;  // "impression" or "click"
  std::vector<EventCopy> copies;
  bool more_copies = false;
  std::string outcome;  // of the copy that decides: the one that is no duplicate
  std::string reason;
  std::optional<ImpressionOfClick> impression;  // of a click
  std::vector<JoinedClick> clicks;              // of an impression, by (time, id)
  bool more_clicks = false;
  bool summary_written = false;  // of an impression
  bool unique_click = false;     // of a joined click: the impression's first one so far
  std::vector<EventCell> cells;
  std::string event;  // all fields of the deciding copy as a JSON object; empty: not readable
};

// One entry, or two when an impression and a click have the same id.
struct EventLife {
  Uuid id;
  std::vector<EventOfKind> kinds;
};

inline constexpr std::size_t kCopyCountMax = 100;  // of all that one search looks for
inline constexpr std::size_t kClicksPerImpressionMax = 1'000;

// not_found: no topic has it; what to do next is in the message.
void event_life(EventSearch& search, Uuid id, Answer<EventLife> answer);

std::string to_json(const EventLife& life);

// The cell as `cell=` of GET /v1/events takes it:
// "creatives;2013-05-17T13:00:00.000Z;campaign_id=7".
std::string cell_text(const EventCell& cell);

}  // namespace adbrook::ads
