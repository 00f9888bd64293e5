// Server-sent events for any number of readers: each event is written once and kept for a moment,
// so that a reader that comes again goes on where it was. Format: the HTML standard, 9.2.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "http/message.h"

namespace adbrook::http {

struct EventFeedOptions {
  std::size_t readers_max = 64;
  // Events that are kept for readers who are behind, and for those who come again.
  std::size_t kept_count_max = 128;
  std::size_t kept_bytes_max = 2 << 20;
};

// Thread-safe. Whoever publishes does so every few seconds at least, also without news: that is the
// heartbeat by which readers and proxies know that the stream lives.
class EventFeed {
 public:
  // `epoch` tells this feed's ids from those of another process: an id is "<epoch>-<number>".
  // Letters and digits only.
  explicit EventFeed(std::string epoch, EventFeedOptions options = {});
  // Ends all streams.
  ~EventFeed();
  EventFeed(const EventFeed&) = delete;
  EventFeed& operator=(const EventFeed&) = delete;

  // The stream as an answer. A reader whose Last-Event-ID is still kept goes on behind it; any
  // other one gets `greeting` as an event "hello" first. 503 when there are too many readers.
  Response open(const Request& request, std::string_view greeting);

  // `event` and `data` are one line each; the event reaches every reader in order, or its stream
  // ends because it is too slow.
  void publish(std::string_view event, std::string_view data);

  std::size_t reader_count() const;

 private:
  struct State;
  class Reader;
  std::shared_ptr<State> state_;  // shared with the readers, whose connections end on their own
};

}  // namespace adbrook::http
